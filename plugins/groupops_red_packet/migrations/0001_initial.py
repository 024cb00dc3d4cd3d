from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="EntryRow",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("case_id", fields.IntField()),
                ("number", fields.IntField()),
                ("key", fields.CharField(unique=True, max_length=512)),
                ("group_id", fields.CharField(max_length=255)),
                ("person_id", fields.IntField()),
                ("move", fields.CharField(max_length=64)),
                ("state", fields.CharField(max_length=64)),
                ("actor", fields.CharField(max_length=255)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("note", fields.TextField(unique=False)),
                ("amount_fen", fields.BigIntField()),
                ("source", fields.CharField(max_length=64)),
                ("target", fields.CharField(max_length=64)),
            ],
            options={
                "table": "red_packet_journal",
                "app": "red_packet",
                "unique_together": (("case_id", "number"),),
                "indexes": [Index(fields=["group_id", "at"])],
                "pk_attr": "id",
                "table_description": "A line of the journal, never changed but for the persons taken out of it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ItemRow",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("case_id", fields.IntField(unique=True)),
                ("group_id", fields.CharField(max_length=255)),
                ("person_id", fields.IntField()),
                ("account", fields.CharField(max_length=255)),
                ("rule", fields.CharField(max_length=255)),
                ("clause", fields.TextField(unique=False)),
                ("source", fields.CharField(max_length=255)),
                ("mode", fields.CharField(max_length=64)),
                ("alternatives", fields.TextField(unique=False)),
                ("approvals", fields.IntField()),
                ("due_days", fields.IntField()),
                ("lapse_days", fields.IntField()),
                ("state", fields.CharField(max_length=64)),
                ("before", fields.CharField(max_length=64)),
                ("frozen", fields.BooleanField()),
                ("open_fen", fields.BigIntField()),
                ("reduced_fen", fields.BigIntField()),
                ("closed_fen", fields.BigIntField()),
                ("chosen", fields.TextField(unique=False)),
                ("evidence", fields.IntField()),
                ("deadline", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("stopped_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("appealed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("reminded", fields.IntField()),
                ("overdue", fields.BooleanField()),
                ("opened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("notified_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("accepted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("entries", fields.IntField()),
            ],
            options={
                "table": "red_packet_items",
                "app": "red_packet",
                "unique_together": (("rule", "source"),),
                "indexes": [
                    Index(fields=["group_id", "state"]),
                    Index(fields=["person_id", "opened_at"]),
                    Index(fields=["account"]),
                ],
                "pk_attr": "id",
                "table_description": "An item as the lines of its journal make it.",
            },
            bases=["Model"],
        ),
    ]
