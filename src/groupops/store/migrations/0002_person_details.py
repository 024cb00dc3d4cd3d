from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Person",
            name="company",
            field=fields.TextField(db_default="", unique=False),
        ),
        ops.AddField(
            model_name="Person",
            name="left_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Person",
            name="position",
            field=fields.TextField(db_default="", unique=False),
        ),
        ops.AddField(
            model_name="Person",
            name="ref",
            field=fields.TextField(db_default="", unique=False),
        ),
        ops.AddField(
            model_name="Person",
            name="region",
            field=fields.TextField(db_default="", unique=False),
        ),
    ]
