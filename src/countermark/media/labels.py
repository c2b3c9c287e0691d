"""Names of containers and codecs as GStreamer's plugin-base utilities show them.

Clients of the API compare these strings, so they are GStreamer's English descriptions, and for
H.264 and H.265 its demuxers' codec tags ("H.264 / AVC"). Keys are FFmpeg's short names. What
GStreamer has no description for keeps FFmpeg's long name.
"""

import re

CONTAINERS = {
    "aiff": "Audio Interchange File Format (AIFF)",
    "amr": "Adaptive Multi Rate (AMR)",
    "asf": "Advanced Streaming Format (ASF)",
    "au": "Sun .au",
    "avi": "Audio Video Interleave (AVI)",
    "caf": "Apple Core Audio Format",
    "dv": "Digital Video (DV) System Stream",
    "flv": "Flash",
    "gxf": "General Exchange Format (GXF)",
    "ivf": "Indeo video format (IVF)",
    "mpeg": "MPEG-2 System Stream",
    "mpegts": "MPEG-2 Transport Stream",
    "mxf": "Material eXchange Format (MXF)",
    "nut": "NUT",
    "ogg": "Ogg",
    "rm": "Realmedia",
    "voc": "SoundBlaster VOC",
    "w64": "Sonic Foundry Wave64",
    "wav": "WAV",
    "yuv4mpegpipe": "Y4M",
}

CODECS = {
    # video
    "av1": "AV1",
    "cavs": "Chinese AVS (CAVS)",
    "cfhd": "CineForm",
    "cinepak": "Cinepak Video",
    "dirac": "Dirac",
    "dnxhd": "Digital Nonlinear Extensible High Definition (DNxHD)",
    "dvvideo": "Digital Video (DV)",
    "ffv1": "FFMpeg v1",
    "ffvhuff": "FFmpeg Huffman YUV variant",
    "flv1": "Sorenson Spark Video",
    "h261": "H.261",
    "h263": "H.263",
    "h264": "H.264 / AVC",
    "hevc": "H.265 / HEVC",
    "huffyuv": "Huffyuv",
    "jpeg2000": "JPEG 2000",
    "mjpeg": "Motion-JPEG",
    "mpeg1video": "MPEG-1 Video",
    "mpeg2video": "MPEG-2 Video",
    "mpeg4": "MPEG-4 Video",
    "msmpeg4v1": "Microsoft MPEG-4 4.1",
    "msmpeg4v2": "Microsoft MPEG-4 4.2",
    "msmpeg4v3": "Microsoft MPEG-4 4.3",
    "msvideo1": "Microsoft Video 1",
    "png": "PNG",
    "prores": "Apple ProRes",
    "qtrle": "Run-length encoding",
    "rawvideo": "Uncompressed video",
    "rv10": "RealVideo 1.0",
    "rv20": "RealVideo 2.0",
    "rv30": "RealVideo 3.0",
    "rv40": "RealVideo 4.0",
    "svq1": "Sorensen Video 1",
    "svq3": "Sorensen Video 3",
    "theora": "Theora",
    "vp3": "On2 VP3",
    "vp5": "On2 VP5",
    "vp6": "On2 VP6",
    "vp6a": "On2 VP6 with alpha",
    "vp6f": "On2 VP6/Flash",
    "vp7": "On2 VP7",
    "vp8": "VP8",
    "vp9": "VP9",
    "vvc": "H.266 / VVC",
    "wmv1": "Windows Media Video 7",
    "wmv2": "Windows Media Video 8",
    "wmv3": "Windows Media Video 9",
    "zmbv": "Zip Motion Block video",
    # audio
    "aac": "MPEG-4 AAC",
    "aac_latm": "MPEG-4 AAC",
    "ac3": "AC-3 (ATSC A/52)",
    "alac": "Apple Lossless Audio (ALAC)",
    "amr_nb": "Adaptive Multi Rate (AMR)",
    "amr_wb": "Adaptive Multi Rate WideBand (AMR-WB)",
    "cook": "RealAudio G2 (Cook)",
    "dts": "DTS",
    "eac3": "E-AC-3 (ATSC A/52B)",
    "flac": "Free Lossless Audio Codec (FLAC)",
    "gsm": "GSM",
    "mp1": "MPEG-1 Layer 1 (MP1)",
    "mp2": "MPEG-1 Layer 2 (MP2)",
    "mp3": "MPEG-1 Layer 3 (MP3)",
    "musepack7": "Musepack (MPC)",
    "musepack8": "Musepack (MPC)",
    "nellymoser": "Nellymoser Asao",
    "opus": "Opus",
    "pcm_alaw": "A-Law",
    "pcm_mulaw": "Mu-Law",
    "speex": "Speex",
    "truehd": "Dolby TrueHD",
    "tta": "Lossless True Audio (TTA)",
    "vorbis": "Vorbis",
    "wavpack": "Wavpack",
    "wmav1": "Windows Media Audio 7",
    "wmav2": "Windows Media Audio 8",
    "wmapro": "Windows Media Audio 9",
    # subtitles
    "ass": "Advanced SubStation Alpha",
    "ssa": "SubStation Alpha",
    "dvb_subtitle": "DVB subtitles",
    "dvd_subtitle": "DVD subpicture",
    "eia_608": "CEA 608 Closed Caption",
    "hdmv_pgs_subtitle": "PGS subtitles",
    "mov_text": "Timed Text",
    "mpl2": "MPL2 subtitle format",
    "sami": "Sami subtitle format",
    "subrip": "Subtitle",
    "text": "Timed Text",
    "webvtt": "WebVTT subtitle format",
    "xsub": "XSUB subtitles",
}

_PCM = re.compile(r"pcm_([suf])(\d+)")


def codec_label(codec: str, long_name: str) -> str | None:
    """Name a codec.

    Args:
        codec: FFmpeg's canonical codec name, such as "h264".
        long_name: FFmpeg's description, used where GStreamer has none.
    """
    if codec in CODECS:
        return CODECS[codec]
    if match := _PCM.match(codec):
        kind = "floating-point" if match[1] == "f" else "PCM"
        return f"Raw {match[2]}-bit {kind} audio"
    if codec.startswith("adpcm_"):
        return "ADPCM"
    return long_name or codec or None


def container_label(demuxer: str, brand: str, *, webm: bool) -> str | None:
    """Name a container.

    Args:
        demuxer: FFmpeg's demuxer name; several names joined by commas for a family.
        brand: Major brand of the ISO base media family (ISO/IEC 14496-12, 4.3), else "".
        webm: Whether a Matroska file declares the document type "webm".

    Returns:
        None for elementary streams, pictures and subtitle files, which are not containers.
    """
    if demuxer.startswith("mov,"):
        return _iso_label(brand)
    if demuxer.startswith("matroska"):
        return "WebM" if webm else "Matroska"
    return CONTAINERS.get(demuxer)


def _iso_label(brand: str) -> str:
    if brand in ("", "qt"):  # QuickTime files from before 2001 carry no brand at all
        return "Quicktime"
    if brand.startswith(("3gp", "3gr", "3gs", "3g2")):
        return "3GP"
    if brand.startswith("mjp2"):
        return "Motion JPEG 2000"
    return "ISO MP4/M4A"
