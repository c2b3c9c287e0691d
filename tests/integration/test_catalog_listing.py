"""Listings of a user's files, on both databases."""

import pytest
import sqlalchemy as sa

from countermark.catalog.database import Database
from countermark.catalog.readers import listing
from countermark.catalog.readers.listing import FileQuery
from countermark.catalog.records import FileRecord
from countermark.catalog.writers import files
from countermark.ids import new_id
from support.catalog import NOW, Owner, make_owner

# Unordered on purpose, with ties, absent values, and text whose order depends on the collation.
VIDEOS = [
    ("b.mp4", {"width": 9, "framerate": 23.98, "video_codec": "VP9"}),
    ("B.mp4", {"width": 100, "framerate": 30, "video_codec": "vp8"}),
    ("a b.mp4", None),
    ("é.mp4", {"width": 9, "framerate": 5, "video_codec": "H.264 / AVC"}),
    ("a.mp4", {"width": 20, "framerate": 23.976, "video_codec": "É"}),
    ("A.mp4", None),
]


def _fill(conn: sa.Connection) -> Owner:
    owner = make_owner(conn)
    for number, (name, track) in enumerate(VIDEOS):
        owner.add(
            conn,
            name,
            size=10 ** (number % 3),
            video_tracks=[track, track] if track and number % 2 else track and [track],
            autograph=bool(number % 2) if track else None,
        )
    return owner


def _names(conn: sa.Connection, owner: Owner, sort: str, direction: int = 1) -> list[str]:
    query = FileQuery(owner.user.id, frozenset({"file"}), sort=sort, direction=direction)
    return [file.name for file in listing.page(conn, query, NOW).files]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("id", ["b", "B", "a b", "é", "a", "A"]),
        ("name", ["A", "B", "a b", "a", "b", "é"]),
        ("size", ["b", "é", "B", "a", "a b", "A"]),
        ("video_tracks", ["a b", "A", "b", "a", "B", "é"]),
        ("video_tracks.width", ["a b", "A", "b", "é", "a", "B"]),
        ("video_tracks.framerate", ["a b", "A", "é", "a", "b", "B"]),
        ("video_tracks.video_codec", ["a b", "A", "é", "b", "B", "a"]),
        ("autograph", ["a b", "A", "b", "a", "B", "é"]),
    ],
)
def test_a_listing_is_sorted_alike_on_both_databases(
    database: Database, sort: str, expected: list[str]
) -> None:
    with database.write() as conn:
        owner = _fill(conn)
        names = [f"{name}.mp4" for name in expected]
        assert _names(conn, owner, sort) == names
        assert _names(conn, owner, sort, -1) == names[::-1]


@pytest.mark.parametrize("sort", sorted(listing.sort_keys()))
def test_each_key_sorts_all_files_and_descending_is_the_mirror(
    database: Database, sort: str
) -> None:
    with database.write() as conn:
        owner = _fill(conn)
        owner.add_archive(conn, "folder/all.zip", [new_id(), new_id()])
    with database.read() as conn:
        up, down = (
            listing.page(conn, FileQuery(owner.user.id, sort=sort, direction=direction), NOW)
            for direction in (1, -1)
        )
    assert up.files == down.files[::-1]
    assert up.total == down.total == len(set(map(_id, up.files))) == len(VIDEOS) + 3


def _id(file: FileRecord) -> str:
    return file.id


def test_every_documented_key_of_a_file_is_a_sort_key() -> None:
    documented = """
        storage title name type subtype job autograph container mime_type md5_checksum header_crc
        size size_on_disk application duration pipeline finished_at expires_at elements
        video_tracks audio_tracks subtitle_tracks description download_count parents thumbnail
        user_data uri version user created_at updated_at id href job.id job.href application.id
        application.href pipeline.id pipeline.href user.id user.href parents.id parents.type
        parents.is_root video_tracks.video_codec video_tracks.video_bitrate video_tracks.width
        video_tracks.height video_tracks.framerate video_tracks.aspect_ratio
        video_tracks.video_duration video_tracks.orientation audio_tracks.audio_codec
        audio_tracks.audio_bitrate audio_tracks.audio_width audio_tracks.samplingrate
        audio_tracks.nb_channels audio_tracks.audio_duration
    """
    assert set(documented.split()) <= listing.sort_keys()


@pytest.mark.parametrize("sort", ["", "colour", "video_tracks.colour", "files.id", "id; --"])
def test_an_unknown_sort_key_is_refused(database: Database, sort: str) -> None:
    with pytest.raises(ValueError, match="not a key"), database.read() as conn:
        listing.page(conn, FileQuery(new_id(), sort=sort), NOW)


def test_filters_choose_and_combine(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        job_id = new_id()
        one = owner.add(conn, "a/one.mp4", job_id=job_id)
        owner.add(conn, "a/two.mp4")
        owner.add_archive(conn, "a/all.zip", [one.id], job_id=job_id)
        make_owner(conn, "stranger").add(conn, "a/three.mp4", job_id=job_id)

        def names(**filters: object) -> list[str]:
            query = FileQuery(owner.user.id, sort="name", **filters)
            return [file.name for file in listing.page(conn, query, NOW).files]

        assert names() == ["a", "all.zip", "default", "one.mp4", "two.mp4"]
        assert names(types=frozenset({"file"})) == ["one.mp4", "two.mp4"]
        assert names(types=frozenset({"folder", "archive"})) == ["a", "all.zip", "default"]
        assert names(job_id=job_id) == ["all.zip", "one.mp4"]
        assert names(job_id=job_id, types=frozenset({"archive"})) == ["all.zip"]
        assert names(pipeline_id=owner.pipeline.id) == names()
        assert names(pipeline_id=new_id()) == []


@pytest.mark.parametrize(
    ("start", "limit", "count"), [(0, 0, 0), (7, 5, 0), (6, 5, 1), (0, 9, 7), (10**12, 10, 0)]
)
def test_pages_at_the_ends_hold_what_there_is(
    database: Database, start: int, limit: int, count: int
) -> None:
    with database.write() as conn:
        owner = _fill(conn)
    with database.read() as conn:
        for direction in (1, -1):
            query = FileQuery(owner.user.id, direction=direction, start=start, limit=limit)
            page = listing.page(conn, query, NOW)
            assert (len(page.files), page.total) == (count, len(VIDEOS) + 1)


def test_what_a_listing_remembers_does_not_outlive_a_change(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        added = [owner.add(conn, f"{n}.mp4", expires_at=NOW + 5 + n) for n in range(9)]

    def ids(start: int, now: int) -> tuple[list[str], int]:
        query = FileQuery(owner.user.id, frozenset({"file"}), start=start, limit=3)
        with database.read() as conn:
            page = listing.page(conn, query, now)
        return [file.id for file in page.files], page.total

    assert ids(3, NOW) == ([file.id for file in added[3:6]], 9)
    with database.write() as conn:
        files.delete(conn, owner.user.id, added[1].id, NOW)
    assert ids(3, NOW) == ([file.id for file in added[4:7]], 8)
    assert ids(3, NOW + 5) == ([file.id for file in added[5:8]], 7)
    with database.write() as conn:
        files.expire(conn, NOW + 5, 9)
        last = owner.add(conn, "last.mp4")
    assert ids(3, NOW + 5) == ([file.id for file in added[5:8]], 8)
    assert ids(6, NOW + 5) == ([added[8].id, last.id], 8)


def test_a_listing_that_is_rolled_back_is_not_remembered(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
    query = FileQuery(owner.user.id)

    def list_and_fail() -> None:
        with database.write() as conn:
            owner.add(conn, "a.mp4")
            assert listing.page(conn, query, NOW).total == 2
            raise InterruptedError

    with pytest.raises(InterruptedError):
        list_and_fail()
    with database.write() as conn:
        owner.add(conn, "b.mp4")
    with database.read() as conn:
        names = [file.name for file in listing.page(conn, query, NOW).files]
    assert names == ["default", "b.mp4"]


def test_a_page_near_a_remembered_one_is_read_without_walking(sqlite_database: Database) -> None:
    with sqlite_database.write() as conn:
        owner = make_owner(conn)
        for number in range(50):
            owner.add(conn, f"{number:02}.mp4")
    statements: list[tuple[str, object]] = []

    def keep(_c: object, _cur: object, text: str, values: object, *_rest: object) -> None:
        statements.append((text, values))

    sa.event.listen(sqlite_database._readers, "before_cursor_execute", keep)
    for start in (20, 25, 20, 15):
        statements.clear()
        with sqlite_database.read() as conn:
            listing.page(conn, FileQuery(owner.user.id, start=start, limit=5), NOW)
    assert not [text for text, _ in statements if "count(*)" in text]
    walk = next(values for text, values in statements if "LIMIT" in text)
    assert isinstance(walk, tuple)
    assert walk[-1] == 0
