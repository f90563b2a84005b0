"""Likes that their owner hides: some sources write them as -1. The row stays, with its other counts."""

import duckdb

from tests.unit.conftest import Yard

HEADER = "platform,post_id,account_id,captured_at,likes,comments,views"
COLUMNS = "post_id, likes, likes_null_reason, comments, comments_null_reason, views"


def test_likes_of_minus_1_are_hidden_and_comments_of_minus_1_are_no_count(yard: Yard) -> None:
    yard.drop_rows(
        "post_snapshots/posts_2026-03-20.csv",
        "instagram,p1,kim,2026-03-20T12:00:00Z,-1,30,9000",
        "instagram,p2,kim,2026-03-20T12:00:00Z,-2,-1,9000",
        "instagram,p3,kim,2026-03-20T12:00:00Z,0,1,9000",
        header=HEADER,
    )
    yard.land()
    assert yard.rows("post_snapshots/posts_2026-03-20.csv", COLUMNS) == [
        ("p1", None, "hidden", 30, None, 9000),
        ("p2", None, "invalid", None, "invalid", 9000),
        ("p3", 0, None, 1, None, 9000),
    ]


def test_a_number_of_a_table_file_is_read_alike(yard: Yard) -> None:
    file = yard.drop("post_snapshots/posts_2026-03-20.parquet", "")
    duckdb.execute(
        "copy (select 'instagram' as platform, 'p1' as post_id, 'kim' as account_id, '2026-03-20T12:00:00Z' as"
        f" captured_at, -1::bigint as likes, 30 as comments, 9000 as views) to '{file}' (format parquet)"
    )
    yard.land()
    assert yard.rows("post_snapshots/posts_2026-03-20.parquet", COLUMNS) == [("p1", None, "hidden", 30, None, 9000)]
