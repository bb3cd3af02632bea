"""The same calls by Django REST framework and gunicorn, on the same tables."""

import json
import os
import uuid
from datetime import datetime, timezone
from urllib.parse import urlparse

import django
import jwt
from django.conf import settings

url = urlparse(os.environ["DATABASE_URL"])
settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="a secret of the benchmark that is long enough", USE_TZ=False,
    INSTALLED_APPS=["rest_framework"],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "USER": url.username, "PASSWORD": url.password or "",
        "HOST": url.hostname, "PORT": url.port or 5432, "CONN_MAX_AGE": None}},
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "DEFAULT_PERMISSION_CLASSES": [], "UNAUTHENTICATED_USER": None,
                    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.exceptions import AuthenticationFailed, NotFound  # noqa: E402
from rest_framework.response import Response  # noqa: E402


class Organisation(models.Model):
    id = models.TextField(primary_key=True)
    name = models.TextField()

    class Meta:
        app_label, db_table, managed = "bench", "organisation", False


class Process(models.Model):
    id = models.TextField(primary_key=True)
    title = models.TextField()
    summary = models.TextField()
    status = models.TextField()
    lead_organisation_id = models.TextField(null=True)
    steps = models.TextField()
    changed = models.BigIntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "bench", "process", False


class Participant(models.Model):
    id = models.TextField(primary_key=True)
    process = models.ForeignKey(Process, models.DO_NOTHING, related_name="participants")
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING)
    role = models.TextField()
    state = models.TextField()
    joined_on = models.DateField()

    class Meta:
        app_label, db_table, managed = "bench", "participant", False


class NewChallenge(models.Model):
    id = models.TextField(primary_key=True)
    theme = models.TextField()
    description = models.TextField()
    status = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "bench", "bench_challenge", False


class NewFact(models.Model):
    id = models.TextField(primary_key=True)
    subject_id = models.TextField()
    deed = models.TextField()
    at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "bench", "bench_fact", False


class NewSubscription(models.Model):
    id = models.TextField(primary_key=True)
    email = models.TextField()
    wish = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "bench", "bench_subscription", False


class ParticipantSerializer(serializers.ModelSerializer):
    organisation = serializers.CharField(source="organisation.name")

    class Meta:
        model = Participant
        fields = ["id", "organisation", "role", "state", "joined_on"]


class ProcessSerializer(serializers.ModelSerializer):
    steps = serializers.SerializerMethodField()

    def get_steps(self, process):
        return json.loads(process.steps)

    class Meta:
        model = Process
        fields = ["id", "title", "summary", "status", "lead_organisation_id", "steps", "created_at", "updated_at"]


class WholeProcessSerializer(ProcessSerializer):
    participants = ParticipantSerializer(many=True)

    class Meta(ProcessSerializer.Meta):
        fields = [*ProcessSerializer.Meta.fields, "participants"]


class TimeSavingsSerializer(serializers.Serializer):
    minutes_per_occasion = serializers.FloatField(min_value=0, required=False)
    occasions_per_week = serializers.FloatField(min_value=0, required=False)
    staff_count = serializers.IntegerField(min_value=0, required=False)
    basis = serializers.CharField()


class ChallengeSerializer(serializers.Serializer):
    title = serializers.CharField(max_length=200)
    problem = serializers.CharField(max_length=6000)
    desired_effect = serializers.CharField(required=False)
    affected_users = serializers.CharField(required=False)
    theme = serializers.CharField(required=False, default="")
    cpv = serializers.ListField(child=serializers.CharField(), required=False)
    nuts = serializers.ListField(child=serializers.CharField(), required=False)
    time_savings = TimeSavingsSerializer(required=False)


class WishSerializer(serializers.Serializer):
    email = serializers.EmailField()
    language = serializers.CharField()
    frequency = serializers.CharField()
    filter = serializers.JSONField()


def signed_in(request):
    try:
        jwt.decode(request.headers.get("Authorization", "").removeprefix("Bearer "), settings.SECRET_KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise AuthenticationFailed from error


def read(serializer, request):
    told = serializer(data=request.data)
    told.is_valid(raise_exception=True)
    return told.validated_data


def now():
    return datetime.now(timezone.utc).replace(tzinfo=None)


@api_view(["GET"])
def token(request):
    return Response({"access_token": jwt.encode({"sub": "bench"}, settings.SECRET_KEY, algorithm="HS256")})


@api_view(["GET"])
def processes(request):
    rows = list(Process.objects.exclude(status="preparing").order_by("-changed", "-id")[:51])
    shown = ProcessSerializer(rows[:50], many=True).data
    return Response({"items": shown, "next": rows[49].id if len(rows) > 50 else None})


@api_view(["GET"])
def process(request, key):
    found = Process.objects.prefetch_related(
        models.Prefetch("participants", Participant.objects.select_related("organisation").order_by("joined_on"))
    ).filter(id=key).first()
    if found is None:
        raise NotFound
    return Response(WholeProcessSerializer(found).data)


@api_view(["POST"])
def check(request):
    read(ChallengeSerializer, request)
    return Response({"assessment": {"outcome": "unclear", "criteria": []}, "warnings": [], "similar": []})


@api_view(["POST"])
def create(request):
    signed_in(request)
    told = read(ChallengeSerializer, request)
    with transaction.atomic():
        made = NewChallenge.objects.create(
            id=str(uuid.uuid4()), theme=told["theme"], description=json.dumps(told), status="draft", created_at=now())
        NewFact.objects.create(id=str(uuid.uuid4()), subject_id=made.id, deed="drafted", at=now())
    return Response({"id": made.id, **told, "status": "draft"}, status=201)


@api_view(["GET"])
def matches(request, key):
    signed_in(request)
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM challenge WHERE id = %s", [key])
        words = cursor.fetchone()[0]
        query = " | ".join(sorted({word for word in words.split() if word.isalpha()}))
        cursor.execute(
            "SELECT id, description, ts_rank(to_tsvector('danish', words), q) AS score FROM challenge,"
            " to_tsquery('danish', %s) q WHERE to_tsvector('danish', words) @@ q ORDER BY score DESC LIMIT 10", [query])
        items = [{"challenge": {"id": key, "title": json.loads(told)["title"]}, "score": score}
                 for key, told, score in cursor.fetchall()]
    return Response({"items": items})


@api_view(["GET"])
def changes(request):
    signed_in(request)
    rows = list(Process.objects.order_by("changed", "id").values("id", "title", "status", "changed")[:50])
    return Response({"items": rows, "next": str(rows[-1]["changed"])})


@api_view(["POST"])
def subscribe(request):
    wish = read(WishSerializer, request)
    NewSubscription.objects.create(id=str(uuid.uuid4()), email=wish["email"], wish=json.dumps(wish), created_at=now())
    return Response({}, status=202)


urlpatterns = [
    path("token", token), path("processes", processes), path("processes/<str:key>", process),
    path("challenges/check", check), path("challenges", create), path("challenges/<str:key>/matches", matches),
    path("changes", changes), path("subscriptions", subscribe),
]
app = get_wsgi_application()
