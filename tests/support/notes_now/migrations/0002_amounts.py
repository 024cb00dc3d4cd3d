from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Line",
            name="amount_fen",
            field=fields.IntField(default=0, db_default=0),
        ),
        ops.AddIndex(
            model_name="Line",
            index=Index(fields=["at", "amount_fen"]),
        ),
    ]
