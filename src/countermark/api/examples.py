"""Examples of answers for the OpenAPI document, by the name of the answer."""

from typing import Any

_API = "https://countermark.example/v1"
_USER = "019dd2f1a4c05a1f3c2b7d10"
_APPLICATION = "019dd2f1a4c15a1f3c2b7d11"
_PIPELINE = "019dd2f1a4c25a1f3c2b7d12"
_FOLDER = "019dd2f1a4c35a1f3c2b7d13"
_FILE = "019dd2f2b0005a1f3c2b7d14"
_UPLOAD = "019dd2f2a0005a1f3c2b7d15"
_MADE = 1_795_298_400_000


def _reference(collection: str, resource_id: str) -> dict[str, str]:
    return {"id": resource_id, "href": f"{_API}/{collection}/{resource_id}"}


FILE: dict[str, Any] = {
    "storage": "intern",
    "title": "intro",
    "name": "intro.mp4",
    "type": "file",
    "subtype": "video",
    "container": "ISO MP4/M4A",
    "mime_type": "video/mp4",
    "md5_checksum": "e59c2d39394b5a7cfa585713c517aec6",
    "header_crc": "5c1d2ab3",
    "size": 8_094_037,
    "size_on_disk": 8_094_037,
    "application": _reference("applications", _APPLICATION),
    "duration": 24_576,
    "pipeline": _reference("pipelines", _PIPELINE),
    "finished_at": _MADE + 2500,
    "expires_at": _MADE + 604_800_000,
    "video_tracks": [
        {
            "video_codec": "H.264 / AVC",
            "video_bitrate": 2503,
            "width": 1280,
            "height": 720,
            "framerate": 23.98,
            "aspect_ratio": "1:1",
            "video_duration": 24_576,
        }
    ],
    "audio_tracks": [
        {
            "audio_codec": "MPEG-4 AAC",
            "audio_bitrate": 133,
            "audio_width": 16,
            "samplingrate": 48_000,
            "nb_channels": 2,
            "audio_duration": 24_576,
        }
    ],
    "parents": [{"id": _FOLDER, "type": "folder", "is_root": True}],
    "uri": f"{_API}/files/downloads/?file_id={_FILE}",
    "version": 1,
    "user": _reference("users", _USER),
    "created_at": _MADE,
    "updated_at": _MADE + 2500,
    **_reference("files", _FILE),
}
_PIPELINE_SHOWN: dict[str, Any] = {
    "name": "films",
    "root_folder": {"id": _FOLDER, "type": "folder", "is_root": True},
    "store_options": {"mode": "temporary"},
    "application": _reference("applications", _APPLICATION),
    "user": _reference("users", _USER),
    "created_at": _MADE,
    "updated_at": _MADE,
    **_reference("pipelines", _PIPELINE),
}


def _page(collection: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    here = {"href": f"{_API}/{collection}/?start=0"}
    return {
        collection: items,
        "total": len(items),
        "start": 0,
        "limit": 1000,
        "first": here,
        "last": here,
    }


EXAMPLES: dict[str, dict[str, Any]] = {
    "FileAnswer": {"file": FILE},
    "FilesAnswer": _page("files", [FILE]),
    "UrlAnswer": {"url": "https://edge.countermark.example/d/AQAAAAH2…/intro.mp4"},
    "PipelineAnswer": {"pipeline": _PIPELINE_SHOWN},
    "PipelinesAnswer": _page("pipelines", [_PIPELINE_SHOWN]),
    "UploadAnswer": {
        "upload": {
            "id": _UPLOAD,
            "status": "UPLOADING",
            "form_post_url": f"https://edge.countermark.example/uploads/{_UPLOAD}",
            "form_post_params": {
                "key": "intro.mp4",
                "policy": "AQAAAAGVuDAx…",
                "signature": "q8yA7wE…",
                "success_action_status": "201",
            },
            "nb_chunks": 1,
            "storage_type": "intern",
            "object_key": "intro.mp4",
            "pipeline": _reference("pipelines", _PIPELINE),
            "file": _reference("files", _FILE),
        }
    },
    "BandwidthAnswer": {
        "bandwidth": {
            "from_date": 1_700_000_000_000,
            "to_date": 1_702_592_000_000,
            "bytes_delivered": 73_400_320,
            "downloads": 6,
        }
    },
    "TagsAnswer": {"tags": [{"tag": "k4711", "bytes_delivered": 52_428_800, "downloads": 4}]},
    "RefusalsAnswer": {
        "refusals": [
            {
                "link": "q8yA7wE1b2c",
                "file_id": _FILE,
                "application_id": _APPLICATION,
                "tag": "k4711",
                "address": "203.0.113.7",
                "error_code": "0x0250007",
                "times": 3,
                "last_at": 1_702_592_000_000,
            }
        ]
    },
    "TokenAnswer": {
        "access_token": "mF_9.B5f-4.1JqM",
        "expires_in": 3600,
        "token_type": "Bearer",
    },
}
