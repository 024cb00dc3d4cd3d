from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="AllowEntry",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("group_id", fields.CharField(max_length=255)),
                ("phrase", fields.TextField(unique=False)),
                ("case_id", fields.IntField()),
                ("by", fields.TextField(unique=False)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "moderation_allow_entries",
                "app": "moderation",
                "unique_together": (("group_id", "case_id"),),
                "pk_attr": "id",
                "table_description": "A sentence in which nothing counts any more in one group, because its case was a false alarm.",
            },
            bases=["Model"],
        ),
    ]
