"""Media types: from what a file proved to be, or from its name when it proved to be nothing known.

The tables are the project's own, so that the same file has the same type on every machine;
the standard library's depends on its version and on the system's files. Types are those of
the IANA registry, and the ones in common use where the registry has none (Flash, WMV).
"""

from pathlib import PurePosixPath

UNKNOWN = "application/octet-stream"

# Demuxers of time-based media: (type with pictures, type of sound alone).
_TIMED = {
    "aac": ("audio/aac", "audio/aac"),
    "ac3": ("audio/ac3", "audio/ac3"),
    "aiff": ("audio/aiff", "audio/aiff"),
    "amr": ("audio/amr", "audio/amr"),
    "ape": ("audio/x-ape", "audio/x-ape"),
    "asf": ("video/x-ms-wmv", "audio/x-ms-wma"),
    "au": ("audio/basic", "audio/basic"),
    "avi": ("video/vnd.avi", "video/vnd.avi"),
    "caf": ("audio/x-caf", "audio/x-caf"),
    "dts": ("audio/vnd.dts", "audio/vnd.dts"),
    "dtshd": ("audio/vnd.dts.hd", "audio/vnd.dts.hd"),
    "dv": ("video/dv", "video/dv"),
    "eac3": ("audio/eac3", "audio/eac3"),
    "flac": ("audio/flac", "audio/flac"),
    "flv": ("video/x-flv", "video/x-flv"),
    "gxf": ("application/gxf", "application/gxf"),
    "h264": ("video/h264", "video/h264"),
    "hevc": ("video/h265", "video/h265"),
    "ivf": ("video/x-ivf", "video/x-ivf"),
    "m4v": ("video/mpeg", "video/mpeg"),
    "mjpeg": ("video/x-motion-jpeg", "video/x-motion-jpeg"),
    "mp3": ("audio/mpeg", "audio/mpeg"),
    "mpc": ("audio/x-musepack", "audio/x-musepack"),
    "mpc8": ("audio/x-musepack", "audio/x-musepack"),
    "mpeg": ("video/mpeg", "video/mpeg"),
    "mpegts": ("video/mp2t", "video/mp2t"),
    "mpegvideo": ("video/mpeg", "video/mpeg"),
    "mxf": ("application/mxf", "application/mxf"),
    "nut": ("video/x-nut", "video/x-nut"),
    "obu": ("video/av1", "video/av1"),
    "ogg": ("video/ogg", "audio/ogg"),
    "rm": ("application/vnd.rn-realmedia", "application/vnd.rn-realmedia"),
    "truehd": ("audio/vnd.dolby.mlp", "audio/vnd.dolby.mlp"),
    "tta": ("audio/x-tta", "audio/x-tta"),
    "voc": ("audio/x-voc", "audio/x-voc"),
    "w64": ("audio/x-w64", "audio/x-w64"),
    "wav": ("audio/vnd.wave", "audio/vnd.wave"),
    "wv": ("audio/x-wavpack", "audio/x-wavpack"),
    "yuv4mpegpipe": ("video/x-yuv4mpeg", "video/x-yuv4mpeg"),
}

_PICTURES = {
    "apng": "image/apng",
    "bmp_pipe": "image/bmp",
    "exr_pipe": "image/x-exr",
    "gif": "image/gif",
    "gif_pipe": "image/gif",
    "ico": "image/vnd.microsoft.icon",
    "j2k_pipe": "image/jp2",
    "jpeg_pipe": "image/jpeg",
    "jpegls_pipe": "image/jls",
    "pam_pipe": "image/x-portable-anymap",
    "pbm_pipe": "image/x-portable-bitmap",
    "pgm_pipe": "image/x-portable-graymap",
    "png_pipe": "image/png",
    "ppm_pipe": "image/x-portable-pixmap",
    "psd_pipe": "image/vnd.adobe.photoshop",
    "qoi_pipe": "image/qoi",
    "tiff_pipe": "image/tiff",
    "webp_pipe": "image/webp",
}

_SUBTITLES = {
    "ass": "text/x-ssa",
    "microdvd": "text/x-microdvd",
    "mpl2": "text/x-mpl2",
    "sami": "application/x-sami",
    "srt": "application/x-subrip",
    "sup": "application/x-pgs",
    "webvtt": "text/vtt",
}

# Brands of pictures in the ISO base media family: HEIF (ISO/IEC 23008-12, annex B) and AVIF.
_PICTURE_BRANDS = {
    "avif": "image/avif",
    "avis": "image/avif",
    "heic": "image/heic",
    "heix": "image/heic",
    "heim": "image/heic",
    "heis": "image/heic",
    "hevc": "image/heic-sequence",
    "hevx": "image/heic-sequence",
    "mif1": "image/heif",
    "msf1": "image/heif-sequence",
}

# Every demuxer a file may be given to: nothing that follows a path or an address found inside
# the file (HLS, DASH, concat, image sequences, SDP, VobSub), and no raw formats without a mark.
DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    *_TIMED,
    *_PICTURES,
    *_SUBTITLES,
)

_BY_SUFFIX = {
    "3g2": "video/3gpp2",
    "3gp": "video/3gpp",
    "7z": "application/x-7z-compressed",
    "aac": "audio/aac",
    "aif": "audio/aiff",
    "aiff": "audio/aiff",
    "apk": "application/vnd.android.package-archive",
    "ass": "text/x-ssa",
    "avi": "video/vnd.avi",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "bz2": "application/x-bzip2",
    "css": "text/css",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "flv": "video/x-flv",
    "gif": "image/gif",
    "gz": "application/gzip",
    "heic": "image/heic",
    "heif": "image/heif",
    "htm": "text/html",
    "html": "text/html",
    "jar": "application/java-archive",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "m2ts": "video/mp2t",
    "m3u8": "application/vnd.apple.mpegurl",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "md": "text/markdown",
    "mka": "audio/matroska",
    "mkv": "video/matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpd": "application/dash+xml",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "mxf": "application/mxf",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "psd": "image/vnd.adobe.photoshop",
    "rar": "application/vnd.rar",
    "rtf": "application/rtf",
    "srt": "application/x-subrip",
    "ssa": "text/x-ssa",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "ts": "video/mp2t",
    "ttml": "application/ttml+xml",
    "txt": "text/plain",
    "vtt": "text/vtt",
    "wav": "audio/vnd.wave",
    "weba": "audio/webm",
    "webm": "video/webm",
    "webp": "image/webp",
    "wma": "audio/x-ms-wma",
    "wmv": "video/x-ms-wmv",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "xz": "application/x-xz",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "zip": "application/zip",
    "zst": "application/zstd",
}

_ZIP_BASED = ("apk", "docx", "epub", "jar", "odp", "ods", "odt", "pptx", "xlsx")


def from_name(name: str) -> str:
    """Guess a type from the last suffix of a file name; application/octet-stream if unknown."""
    return _BY_SUFFIX.get(_suffix(name), UNKNOWN)


def is_media(mime_type: str) -> bool:
    """Tell whether files of a type would have been recognized by their bytes."""
    # SVG is a document, and FFmpeg's reader of it is not among those allowed.
    return mime_type.startswith(("audio/", "image/", "video/")) and mime_type != "image/svg+xml"


def of_zip(name: str) -> str:
    """Type of a file whose bytes are a zip archive: a document format if its name says so."""
    return _BY_SUFFIX[_suffix(name)] if _suffix(name) in _ZIP_BASED else "application/zip"


def of_picture(demuxer: str, brand: str) -> str | None:
    """Type of a still or animated picture; None if this demuxer and brand hold something else."""
    if demuxer.startswith("mov,"):
        return _PICTURE_BRANDS.get(brand)
    return _PICTURES.get(demuxer)


def of_subtitles(demuxer: str) -> str | None:
    """Type of a subtitle file; None if this demuxer reads something else."""
    return _SUBTITLES.get(demuxer)


def of_media(demuxer: str, brand: str, *, webm: bool, pictures: bool) -> str:
    """Type of a file with a time axis.

    Args:
        demuxer: FFmpeg's demuxer name.
        brand: Major brand of the ISO base media family, else "".
        webm: Whether a Matroska file declares the document type "webm".
        pictures: Whether there is a video track; a file of sound alone may have its own type.
    """
    if demuxer.startswith("mov,"):
        return _of_iso(brand, pictures=pictures)
    if demuxer.startswith("matroska"):
        return ("video/" if pictures else "audio/") + ("webm" if webm else "matroska")
    return _TIMED[demuxer][0 if pictures else 1]


def _of_iso(brand: str, *, pictures: bool) -> str:
    if brand in ("", "qt"):
        return "video/quicktime"
    subtype = "mp4"
    if brand.startswith(("3gp", "3gr", "3gs")):
        subtype = "3gpp"
    elif brand.startswith("3g2"):
        subtype = "3gpp2"
    elif brand.startswith("mjp2"):
        subtype = "mj2"
    return ("video/" if pictures else "audio/") + subtype


def _suffix(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).suffix.removeprefix(".").lower()
