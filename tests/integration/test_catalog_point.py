"""A point query gives what SQLAlchemy itself would give."""

import sqlalchemy as sa

from countermark.catalog.database import Database
from countermark.catalog.point import PointQuery
from countermark.catalog.tables import files
from support.catalog import NOW, make_owner


def test_every_column_is_decoded_as_by_its_type(database: Database) -> None:
    tracks = [{"video_codec": "H.264 / AVC", "framerate": 23.98}]
    with database.write() as conn:
        file = make_owner(conn).add(conn, "a/b.mp4", video_tracks=tracks, autograph=True)
    query = sa.select(files).where(files.c.id == sa.bindparam("id"), files.c.type == "file")
    point = PointQuery(query)
    for door in (database.read, database.glance):
        with door() as conn:
            found = point.first(conn, {"id": file.id})
            expected = conn.execute(query, {"id": file.id}).one()
            assert found is not None
            assert list(found) == list(expected)
            assert point.first(conn, {"id": "0" * 24}) is None
    named = dict(zip(files.c.keys(), found, strict=True))
    assert named["video_tracks"] == tracks
    assert named["autograph"] is True
    assert named["created_at"] == NOW
