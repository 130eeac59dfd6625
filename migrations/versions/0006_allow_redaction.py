"""Let a redaction destroy what it must, and nothing else; make the officers who decide it.

A row of `payload`, `outcome_key` and `account` may go, and an idempotency key be blanked, only where an entry
`account.redacted` stands later in the very chain; a receipt may lose the lines, and the file's name, that
lead to such an account. The triggers read the entry's own leaf, not a column beside it.

On PostgreSQL nothing of a person may reach the statistics, where ANALYZE would keep samples of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()

REFUSAL = "the ledger is append-only"

# Canonical JSON has no other way to write this member, and cannot have it inside a string.
KIND = '"kind":"account.redacted"'

# What an account's row may never be changed in; its data key may be wrapped anew.
SEALED = ("subject", "opened_at", "citizen_index", "identity")

UNSAMPLED = {
    "account": ("citizen_index", "wrapped_key", "identity"),
    "batch": ("receipt",),
    "entry": ("idempotency_key",),
    "kept_answer": ("key", "request", "answer"),
    "outcome_claim": ("key",),
    "outcome_key": ("key",),
    "payload": ("salt", "bytes"),
}


def upgrade() -> None:
    create_tables()
    if op.get_bind().dialect.name == "sqlite":
        guard_on_sqlite()
    else:
        guard_on_postgresql()


def create_tables() -> None:
    op.create_table(
        "officer",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("added_at", COUNT, nullable=False),
        sa.Column("retired_at", COUNT),
        sa.UniqueConstraint("digest", name="officer_digest"),
        sa.CheckConstraint("length(digest) = 32", name="officer_digest_length"),
        sqlite_strict=True,
    )
    op.create_table(
        "uncleaned",
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("seq", COUNT, nullable=False),
        sqlite_strict=True,
    )


# SQLite. Names in a trigger are those of its own database: a temporary table cannot stand in for `entry`.


def guard_on_sqlite() -> None:
    for table in ("payload", "outcome_key"):
        op.execute(f"DROP TRIGGER {table}_refuses_delete")
        refuse_on_sqlite(table, "delete", f"NOT {redacted('OLD.subject', 'OLD.seq')}")
    refuse_on_sqlite("account", "delete", f"NOT {redacted('OLD.subject', '-1')}")
    refuse_on_sqlite("account", "update", verb=f"UPDATE OF {', '.join(SEALED)}")
    refuse_replace_on_sqlite("account", ("subject",), ("citizen_index",), ("rowid",))
    op.execute("DROP TRIGGER entry_refuses_update")
    kept = same("subject", "seq", "leaf", "leaf_hash", "rowid")
    blanked = f"{kept} AND NEW.idempotency_key IS NULL AND {redacted('OLD.subject', 'OLD.seq')}"
    refuse_on_sqlite("entry", "update", f"NOT ({blanked})")
    guard_receipts_on_sqlite()
    retires = f"{same('id', 'name', 'digest', 'added_at', 'rowid')} AND OLD.retired_at IS NULL"
    refuse_on_sqlite("officer", "update", f"NOT ({retires} AND NEW.retired_at IS NOT NULL)")
    refuse_on_sqlite("officer", "delete")
    refuse_replace_on_sqlite("officer", ("id",), ("digest",), ("rowid",))


def guard_receipts_on_sqlite() -> None:
    before, after = "CAST(OLD.receipt AS TEXT)", "CAST(NEW.receipt AS TEXT)"
    kept = same("number", "issuer", "file_digest", "posted_at", "rowid")
    rest = "'$.entries', '$.redacted', '$.file.name'"
    fewer = f"json_array_length({before}, '$.entries') - json_array_length({after}, '$.entries')"
    counted = f"json_extract({after}, '$.redacted') - coalesce(json_extract({before}, '$.redacted'), 0)"
    lines = "SELECT value FROM json_each({}, '$.entries')"
    gone, come = (
        f"{lines.format(one)} EXCEPT {lines.format(other)}"
        for one, other in ((before, after), (after, before))
    )
    shortened = (
        f"{kept} AND json_valid({before}) AND json_valid({after})"
        f" AND json_remove({after}, {rest}) IS json_remove({before}, {rest})"
        f" AND json_extract({after}, '$.file.name') IS NULL"
        f" AND {fewer} > 0 AND {fewer} = {counted}"
        f" AND NOT EXISTS ({come}) AND NOT EXISTS ({of_standing(gone)})"
    )
    emptied = (
        f"json_valid({before}) AND json_array_length({before}, '$.entries') > 0"
        f" AND NOT EXISTS ({of_standing(lines.format(before))})"
    )
    for verb, allowed in (("update", shortened), ("delete", emptied)):
        op.execute(f"DROP TRIGGER batch_refuses_{verb}")
        refuse_on_sqlite("batch", verb, f"NOT coalesce({allowed}, 0)")


def refuse_on_sqlite(table: str, name: str, condition: str = "1", *, verb: str | None = None) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_refuses_{name} BEFORE {verb or name.upper()} ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )


def refuse_replace_on_sqlite(table: str, *keys: tuple[str, ...]) -> None:
    for key in keys:
        taken = " AND ".join(f"{column} = NEW.{column}" for column in key)
        row = f"SELECT 1 FROM {table} WHERE {taken}"  # noqa: S608 - every name is above
        op.execute(
            f"CREATE TRIGGER {table}_refuses_replace_by_{'_and_'.join(key)} BEFORE INSERT ON {table} "
            f"WHEN EXISTS ({row}) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )


def same(*columns: str) -> str:
    return " AND ".join(f"NEW.{column} IS OLD.{column}" for column in columns)


def redacted(subject: str, seq: str) -> str:
    """Whether a redaction stands after `seq`: looked for from the end of the chain, where it is."""
    leaf = "CAST(leaf AS TEXT)"
    says = f"json_extract({leaf}, '$.kind', '$.subject') = json_array('account.redacted', subject)"
    is_one = f"CASE WHEN instr(leaf, CAST('{KIND}' AS BLOB)) AND json_valid({leaf}) THEN {says} END"
    later = f"subject = {subject} AND seq > {seq} AND subject GLOB 'account:*' AND {is_one}"
    found = f"SELECT 1 FROM entry WHERE {later} ORDER BY seq DESC LIMIT 1"  # noqa: S608 - names above
    return f"coalesce(({found}), 0)"


def of_standing(lines: str) -> str:
    """Those of a receipt's lines that lead to an account which was not redacted."""
    subject = "'account:' || replace(json_extract(line.value, '$.account'), '-', '')"
    return f"SELECT 1 FROM ({lines}) AS line WHERE NOT {redacted(subject, '-1')}"  # noqa: S608 - names above


# PostgreSQL. Each function names the schema of its own table and looks functions up in the catalogue alone:
# neither a temporary `entry` nor a function in another schema is asked instead.

REDACTED = f"""
    SELECT true FROM %I.entry
    WHERE subject = $1 AND seq > $2 AND subject LIKE 'account:%%'
        AND CASE WHEN position('{KIND}'::bytea IN leaf) > 0
            THEN convert_from(leaf, 'UTF8')::json ->> 'kind' = 'account.redacted'
                AND convert_from(leaf, 'UTF8')::json ->> 'subject' = subject
            END
    ORDER BY seq DESC LIMIT 1
"""  # noqa: S608 - the name is the trigger's own

FUNCTIONS = {
    "refuse_unless_redacted": f"""
        DECLARE
            place bigint := coalesce((to_jsonb(OLD) ->> 'seq')::bigint, -1);
            is_redacted boolean;
            kept record;
        BEGIN
            EXECUTE format($sql${REDACTED}$sql$, TG_TABLE_SCHEMA) INTO is_redacted USING OLD.subject, place;
            IF TG_OP = 'DELETE' AND is_redacted THEN
                RETURN OLD;
            ELSIF TG_OP = 'UPDATE' AND is_redacted THEN
                kept := OLD;
                kept.idempotency_key := NULL;
                IF NEW IS NOT DISTINCT FROM kept THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
        END
    """,
    "refuse_unless_receipt_redacted": f"""
        DECLARE
            before jsonb := convert_from(OLD.receipt, 'UTF8');
            after jsonb := '{{"entries": []}}';
            kept record;
            gone jsonb;
            is_redacted boolean;
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                after := convert_from(NEW.receipt, 'UTF8');
                kept := NEW;
                kept.receipt := OLD.receipt;
                is_redacted := kept IS NOT DISTINCT FROM OLD
                    AND (after - 'entries' - 'redacted') #- '{{file,name}}'
                        = (before - 'entries' - 'redacted') #- '{{file,name}}'
                    AND after #> '{{file,name}}' IS NULL
                    AND (after ->> 'redacted')::bigint - coalesce((before ->> 'redacted')::bigint, 0)
                        = jsonb_array_length(before -> 'entries') - jsonb_array_length(after -> 'entries')
                    AND NOT EXISTS (
                        SELECT jsonb_array_elements(after -> 'entries')
                        EXCEPT SELECT jsonb_array_elements(before -> 'entries')
                    );
                IF is_redacted IS NOT TRUE THEN
                    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
                END IF;
            END IF;
            is_redacted := false;
            FOR gone IN
                SELECT jsonb_array_elements(before -> 'entries')
                EXCEPT SELECT jsonb_array_elements(after -> 'entries')
            LOOP
                EXECUTE format($sql${REDACTED}$sql$, TG_TABLE_SCHEMA)
                    INTO is_redacted USING 'account:' || replace(gone ->> 'account', '-', ''), -1;
                EXIT WHEN is_redacted IS NOT TRUE;
            END LOOP;
            IF is_redacted IS NOT TRUE THEN
                RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN CASE WHEN TG_OP = 'UPDATE' THEN NEW ELSE OLD END;
        END
    """,
    "refuse_unless_retired": f"""
        DECLARE
            kept record;
        BEGIN
            kept := NEW;
            kept.retired_at := OLD.retired_at;
            IF kept IS DISTINCT FROM OLD OR OLD.retired_at IS NOT NULL OR NEW.retired_at IS NULL THEN
                RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END
    """,
}

# By table: what is refused whoever asks, what is refused row by row unless the function lets it pass.
STATEMENTS = {
    "account": f"UPDATE OF {', '.join(SEALED)} OR TRUNCATE",
    "batch": "TRUNCATE",
    "entry": "DELETE OR TRUNCATE",
    "officer": "DELETE OR TRUNCATE",
    "outcome_key": "UPDATE OR TRUNCATE",
    "payload": "UPDATE OR TRUNCATE",
}
ROWS = {
    "account": ("DELETE", "refuse_unless_redacted"),
    "batch": ("UPDATE OR DELETE", "refuse_unless_receipt_redacted"),
    "entry": ("UPDATE", "refuse_unless_redacted"),
    "officer": ("UPDATE", "refuse_unless_retired"),
    "outcome_key": ("DELETE", "refuse_unless_redacted"),
    "payload": ("DELETE", "refuse_unless_redacted"),
}


def guard_on_postgresql() -> None:
    for name, body in FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
            f" SET search_path = pg_catalog, pg_temp AS $${body}$$"
        )
    for table, verbs in STATEMENTS.items():
        op.execute(f"DROP TRIGGER IF EXISTS {table}_refuses_change ON {table}")
        guard_table(table, f"{table}_refuses_change", verbs, "STATEMENT", "refuse_change")
        verb, function = ROWS[table]
        guard_table(table, f"{table}_refuses_change_of_row", verb, "ROW", function)
    for table, columns in UNSAMPLED.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")


def guard_table(table: str, name: str, verbs: str, each: str, function: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {verbs} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"
    )
    # ALWAYS: a session in replica mode skips the triggers that are merely enabled.
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")
