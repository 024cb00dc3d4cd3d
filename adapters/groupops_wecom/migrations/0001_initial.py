from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    initial = True

    operations = [
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
