from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("core", "0002_person_details")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Keepsake",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("owner", fields.CharField(max_length=64)),
                ("key", fields.CharField(max_length=255)),
                ("value", fields.TextField(unique=False)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "core_keepsakes",
                "app": "core",
                "unique_together": (("owner", "key"),),
                "pk_attr": "id",
                "table_description": "A small value that a room or an adapter wants to know again after a restart.",
            },
            bases=["Model"],
        ),
    ]
