from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="InterceptPublishing",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("self_id", fields.CharField(max_length=255)),
                ("before", fields.TextField(unique=False)),
                ("after", fields.TextField(unique=False)),
                ("undone", fields.BooleanField(default=False)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "wecom_intercept_publishings",
                "app": "wecom",
                "pk_attr": "id",
                "table_description": "A time at which intercept rules were published: what stood before, and what was to stand then.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="KnownContact",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("corp_id", fields.CharField(max_length=128)),
                ("userid", fields.CharField(max_length=128)),
            ],
            options={
                "table": "wecom_known_contacts",
                "app": "wecom",
                "unique_together": (("corp_id", "userid"),),
                "pk_attr": "id",
                "table_description": "A user id that was in the company's contacts when they were last taken in, and nothing else of anybody.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RoomSide",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("kind", fields.CharField(max_length=16)),
                ("native", fields.CharField(max_length=255)),
                ("keeper", fields.CharField(max_length=255)),
                ("room", fields.CharField(max_length=255)),
                ("name", fields.CharField(max_length=255)),
                ("by", fields.CharField(max_length=255)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "wecom_room_sides",
                "app": "wecom",
                "unique_together": (("kind", "native", "keeper"),),
                "pk_attr": "id",
                "table_description": "A chat as one of WeCom's products knows it, and the group it is a side of.",
            },
            bases=["Model"],
        ),
    ]
