"""The same calls by Django REST framework and gunicorn, on the same tables."""

import json
import os
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import urlparse

import django
import jwt
from django.conf import settings
from rules import SIMILAR, assess, query, warnings, words

url = urlparse(os.environ["DATABASE_URL"])
settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="a secret of the benchmark that is long enough", USE_TZ=False,
    INSTALLED_APPS=["rest_framework"], MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "USER": url.username, "PASSWORD": url.password or "",
        "HOST": url.hostname, "PORT": url.port or 5432, "CONN_MAX_AGE": None}},
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "DEFAULT_PERMISSION_CLASSES": [], "UNAUTHENTICATED_USER": None,
                    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.core.serializers.json import DjangoJSONEncoder  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models.fields.json import KeyTextTransform  # noqa: E402
from django.db.models.functions import Cast  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.exceptions import AuthenticationFailed, NotFound  # noqa: E402
from rest_framework.response import Response  # noqa: E402


class Organisation(models.Model):
    id = models.TextField(primary_key=True)
    name = models.TextField()
    changed = models.BigIntegerField()

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


class Told(models.Model):
    id = models.TextField(primary_key=True)
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING)
    theme = models.TextField()
    description = models.TextField()
    words = models.TextField()
    status = models.TextField()
    assessment = models.TextField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label, abstract = "bench", True


class Challenge(Told):
    changed = models.BigIntegerField()

    class Meta:
        app_label, db_table, managed = "bench", "challenge", False


class NewChallenge(Told):
    class Meta:
        app_label, db_table, managed = "bench", "bench_challenge", False


class NewCpv(models.Model):
    challenge_id = models.TextField(primary_key=True)
    code = models.TextField()

    class Meta:
        app_label, db_table, managed = "bench", "bench_cpv", False


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
    status = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "bench", "bench_subscription", False


class NewLetter(models.Model):
    id = models.TextField(primary_key=True)
    email = models.TextField()
    letter = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "bench", "bench_letter", False


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
    hours_per_year = serializers.FloatField(min_value=0, required=False)
    basis = serializers.ChoiceField(["measured", "estimated", "assumed"])


class VolumeSerializer(serializers.Serializer):
    quantity = serializers.FloatField(min_value=0)
    unit = serializers.CharField(max_length=60)


class ScaleSerializer(serializers.Serializer):
    known_bodies = serializers.ListField(child=serializers.CharField(), max_length=200, required=False)
    volume = VolumeSerializer(required=False)
    affected_people = serializers.IntegerField(min_value=0, required=False)


class SponsorSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    title = serializers.CharField(max_length=120)
    date = serializers.DateField()


class AnchoringSerializer(serializers.Serializer):
    political = SponsorSerializer(required=False)
    administrative = SponsorSerializer(required=False)


class DescriptionSerializer(serializers.Serializer):
    title = serializers.CharField(max_length=200)
    problem = serializers.CharField(max_length=6000)
    desired_effect = serializers.CharField(max_length=3000, required=False, default="")
    affected_users = serializers.CharField(max_length=1000, required=False, default="")
    theme = serializers.CharField(max_length=80, required=False, default="")
    cpv = serializers.ListField(child=serializers.RegexField(r"^\d{8}(-\d)?$"), max_length=50, required=False)
    nuts = serializers.ListField(child=serializers.RegexField(r"^[A-Z]{2}\w{0,3}$"), max_length=50, required=False)
    time_savings = TimeSavingsSerializer(required=False)
    scale = ScaleSerializer(required=False)
    anchoring = AnchoringSerializer(required=False)


class ChallengeSerializer(serializers.ModelSerializer):
    organisation = serializers.SerializerMethodField()

    def get_organisation(self, challenge):
        return {"id": challenge.organisation_id, "name": challenge.organisation.name}

    def to_representation(self, challenge):
        return {**super().to_representation(challenge), **json.loads(challenge.description),
                "assessment": json.loads(challenge.assessment)}

    class Meta:
        model = Challenge
        fields = ["id", "status", "organisation", "created_at", "updated_at"]


class NewChallengeSerializer(ChallengeSerializer):
    class Meta(ChallengeSerializer.Meta):
        model = NewChallenge


class WishSerializer(serializers.Serializer):
    email = serializers.EmailField()
    language = serializers.ChoiceField(["da", "en"])
    frequency = serializers.ChoiceField(["immediate", "daily", "weekly"])
    filter = serializers.JSONField()


def signed_in(request):
    try:
        return jwt.decode(request.headers.get("Authorization", "").removeprefix("Bearer "), settings.SECRET_KEY, algorithms=["HS256"])
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
    body = Organisation.objects.get(name="Odense Kommune").id
    return Response({"access_token": jwt.encode({"sub": "mette", "body": body}, settings.SECRET_KEY, algorithm="HS256")})


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


def similar(words, limit):
    with connection.cursor() as cursor:
        cursor.execute(SIMILAR.format("%s", "%s"), [query(words), limit])
        return [{"challenge": {"id": key, "title": json.loads(told)["title"], "organisation": organisation},
                 "score": round(score, 3)} for key, told, _, organisation, score in cursor.fetchall()]


@api_view(["POST"])
def check(request):
    told = read(DescriptionSerializer, request)
    alike = similar(words(told), 5) if "Authorization" in request.headers and signed_in(request) else []
    return Response({"assessment": assess(told), "warnings": warnings(told), "similar": alike})


@api_view(["GET", "POST"])
def challenges(request):
    who = signed_in(request)
    if request.method == "POST":
        return create(request, who)
    seen = Challenge.objects.filter(models.Q(organisation_id=who["body"]) | ~models.Q(status="draft"))
    rows = list(seen.select_related("organisation").order_by("-changed", "-id")[:51])
    shown = ChallengeSerializer(rows[:50], many=True).data
    return Response({"items": shown, "next": rows[49].id if len(rows) > 50 else None})


def create(request, who):
    told, at = read(DescriptionSerializer, request), now()
    with transaction.atomic():
        made = NewChallenge.objects.create(
            id=str(uuid.uuid4()), organisation_id=who["body"], theme=told["theme"],
            description=json.dumps(told, cls=DjangoJSONEncoder), words=words(told), status="draft",
            assessment=json.dumps(assess(told), cls=DjangoJSONEncoder), created_at=at, updated_at=at)
        for code in told.get("cpv", []):
            NewCpv.objects.create(challenge_id=made.id, code=code)
        NewFact.objects.create(id=str(uuid.uuid4()), subject_id=made.id, deed="drafted", at=at)
        shown = NewChallengeSerializer(NewChallenge.objects.select_related("organisation").get(id=made.id)).data
    return Response({**shown, "warnings": warnings(told)}, status=201)


@api_view(["GET"])
def one_challenge(request, key):
    who = signed_in(request)
    found = Challenge.objects.select_related("organisation").filter(id=key).first()
    if found is None or (found.organisation_id != who["body"] and found.status == "draft"):
        raise NotFound
    return Response({**ChallengeSerializer(found).data, "warnings": warnings(json.loads(found.description))})


@api_view(["GET"])
def matches(request, key):
    signed_in(request)
    words = Challenge.objects.values_list("words", flat=True).get(id=key)
    return Response({"items": [one for one in similar(words, 11) if one["challenge"]["id"] != key][:10]})


@api_view(["GET"])
def changes(request):
    who = signed_in(request)
    fields = ("kind", "id", "title", "status", "changed")
    seen = Challenge.objects.filter(models.Q(organisation_id=who["body"]) | ~models.Q(status="draft"))
    title = KeyTextTransform("title", Cast("description", models.JSONField()))
    parts = [
        seen.annotate(kind=models.Value("challenge"), title=title).values_list(*fields).order_by("changed", "id")[:50],
        Process.objects.annotate(kind=models.Value("process")).values_list(*fields).order_by("changed", "id")[:50],
        Organisation.objects.annotate(
            kind=models.Value("organisation"), title=models.F("name"), status=models.Value(None, models.TextField()),
        ).values_list(*fields).order_by("changed", "id")[:50],
    ]
    rows = [dict(zip(fields, row)) for row in parts[0].union(*parts[1:], all=True).order_by("changed", "id")[:50]]
    return Response({"items": rows, "next": str(rows[-1]["changed"])})


@api_view(["POST"])
def subscribe(request):
    wish, at, key = read(WishSerializer, request), now(), str(uuid.uuid4())
    if NewLetter.objects.filter(email=wish["email"], created_at__gt=at - timedelta(hours=1)).count() >= 5:
        return Response({}, status=202)
    token = jwt.encode({"sub": key, "for": "confirm"}, settings.SECRET_KEY, algorithm="HS256")
    letter = f"Bekræft dit abonnement: https://skala.example/subscriptions/confirm/{token}"
    with transaction.atomic():
        NewSubscription.objects.create(id=key, email=wish["email"], wish=json.dumps(wish), status="unconfirmed", created_at=at)
        NewLetter.objects.create(id=str(uuid.uuid4()), email=wish["email"], letter=letter, created_at=at)
    return Response({}, status=202)


urlpatterns = [
    path("token", token), path("processes", processes), path("processes/<str:key>", process),
    path("challenges/check", check), path("challenges", challenges), path("challenges/<str:key>", one_challenge),
    path("challenges/<str:key>/matches", matches),
    path("changes", changes), path("subscriptions", subscribe),
]
app = get_wsgi_application()
