from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("wecom", "0001_initial")]

    initial = False

    operations = [
        ops.CreateModel(
            name="SentCardRow",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("task_id", fields.CharField(unique=True, max_length=128)),
                ("group_id", fields.CharField(max_length=255)),
                ("title", fields.TextField(unique=False)),
                ("text", fields.TextField(unique=False)),
                ("app", fields.CharField(max_length=255)),
                ("userid", fields.CharField(max_length=255)),
                ("subject", fields.TextField(unique=False)),
                ("code", fields.TextField(unique=False)),
                ("at", fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "wecom_sent_cards",
                "app": "wecom",
                "pk_attr": "id",
                "table_description": "A card with buttons that was sent: what people see of it, and how the app takes its buttons off.",
            },
            bases=["Model"],
        ),
    ]
