from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="ConsentWord",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("group_id", fields.CharField(max_length=255)),
                ("person_id", fields.IntField()),
                ("account", fields.CharField(max_length=255)),
                ("word", fields.CharField(max_length=16)),
                ("terms", fields.CharField(max_length=16)),
                ("purpose", fields.TextField(default="", unique=False)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "check_in_consents",
                "app": "check_in",
                "indexes": [Index(fields=["group_id", "person_id"])],
                "pk_attr": "id",
                "table_description": "What a person was told and answered about check-in in one group, line by line, without any place.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DayRow",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("group_id", fields.CharField(max_length=255)),
                ("person_id", fields.IntField()),
                ("account", fields.CharField(max_length=255)),
                ("day", fields.DateField()),
                ("shift", fields.CharField(default="", max_length=40)),
                ("state", fields.CharField(max_length=16)),
                ("place", fields.CharField(default="", max_length=64)),
                ("means", fields.CharField(default="", max_length=16)),
                ("unsure", fields.BooleanField(default=False)),
                ("at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("place_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("version", fields.IntField(default=0)),
            ],
            options={
                "table": "check_in_days",
                "app": "check_in",
                "unique_together": (("group_id", "person_id", "day"),),
                "pk_attr": "id",
                "table_description": "What is left of a person's check-in on one day, the name of a place and nothing finer.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MoveRow",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("group_id", fields.CharField(max_length=255)),
                ("person_id", fields.IntField()),
                ("account", fields.CharField(max_length=255)),
                ("day", fields.DateField()),
                ("was", fields.CharField(default="", max_length=64)),
                ("place", fields.CharField(default="", max_length=64)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("event_id", fields.CharField(max_length=255)),
            ],
            options={
                "table": "check_in_moves",
                "app": "check_in",
                "unique_together": (("group_id", "event_id"),),
                "pk_attr": "id",
                "table_description": "A later check-in of the same day, which set the place right.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PetitionRow",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("group_id", fields.CharField(max_length=255)),
                ("person_id", fields.IntField()),
                ("account", fields.CharField(max_length=255)),
                ("what", fields.CharField(max_length=16)),
                ("day", fields.DateField()),
                ("until", fields.DateField()),
                ("place", fields.CharField(default="", max_length=64)),
                ("reason", fields.CharField(default="", max_length=200)),
                ("status", fields.CharField(default="open", max_length=16)),
                ("asked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("decided_by", fields.CharField(default="", max_length=255)),
                ("event_id", fields.CharField(max_length=255)),
            ],
            options={
                "table": "check_in_petitions",
                "app": "check_in",
                "unique_together": (("group_id", "event_id"),),
                "pk_attr": "id",
                "table_description": "Leave or a correction that somebody asks for and another approves.",
            },
            bases=["Model"],
        ),
    ]
