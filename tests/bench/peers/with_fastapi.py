"""The same calls by FastAPI, SQLAlchemy and uvicorn, on the same tables."""

import json
import os
import uuid
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Literal, Optional

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from rules import SIMILAR, assess, query, warnings, words
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

engine = create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://"), pool_size=8)
SECRET = "a secret of the benchmark that is long enough"
app = FastAPI()


def session():
    with Session(engine) as opened:
        yield opened


def signed_in(authorization: Annotated[str, Header()]):
    try:
        return jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error


Db = Annotated[Session, Depends(session)]
Who = Annotated[dict, Depends(signed_in)]


class Told(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class TimeSavings(Told):
    minutes_per_occasion: Optional[float] = Field(None, ge=0)
    occasions_per_week: Optional[float] = Field(None, ge=0)
    staff_count: Optional[int] = Field(None, ge=0)
    hours_per_year: Optional[float] = Field(None, ge=0)
    basis: Literal["measured", "estimated", "assumed"]


class Volume(Told):
    quantity: float = Field(gt=0)
    unit: str = Field(min_length=1, max_length=60)


class Scale(Told):
    known_bodies: list[str] = Field([], max_length=200)
    volume: Optional[Volume] = None
    affected_people: Optional[int] = Field(None, ge=0)


class Sponsor(Told):
    name: str = Field(min_length=1, max_length=120)
    title: str = Field(min_length=1, max_length=120)
    date: date


class Anchoring(Told):
    political: Optional[Sponsor] = None
    administrative: Optional[Sponsor] = None


class Challenge(Told):
    title: str = Field(min_length=1, max_length=200)
    problem: str = Field(min_length=1, max_length=6000)
    desired_effect: str = Field("", max_length=3000)
    affected_users: str = Field("", max_length=1000)
    theme: str = Field("", max_length=80)
    cpv: list[Annotated[str, Field(pattern=r"^\d{8}(-\d)?$")]] = Field([], max_length=50)
    nuts: list[Annotated[str, Field(pattern=r"^[A-Z]{2}\w{0,3}$")]] = Field([], max_length=50)
    time_savings: Optional[TimeSavings] = None
    scale: Optional[Scale] = None
    anchoring: Optional[Anchoring] = None


class Wish(Told):
    email: EmailStr
    language: Literal["da", "en"]
    frequency: Literal["immediate", "daily", "weekly"]
    filter: dict


def shown(row):
    return {
        "id": row.id, "title": row.title, "summary": row.summary, "status": row.status,
        "lead_organisation_id": row.lead_organisation_id, "steps": json.loads(row.steps),
        "created_at": row.created_at.isoformat() + "Z", "updated_at": row.updated_at.isoformat() + "Z",
    }


@app.get("/token")
def token(db: Db):
    body = db.execute(text("SELECT id FROM organisation WHERE name = 'Odense Kommune'")).scalar_one()
    return {"access_token": jwt.encode({"sub": "mette", "body": body}, SECRET, algorithm="HS256")}


@app.get("/processes")
def processes(db: Db):
    rows = db.execute(text("SELECT * FROM process WHERE status <> 'preparing' ORDER BY changed DESC, id DESC LIMIT 51")).all()
    return {"items": [shown(row) for row in rows[:50]], "next": rows[49].id if len(rows) > 50 else None}


@app.get("/processes/{key}")
def process(key: str, db: Db):
    row = db.execute(text("SELECT * FROM process WHERE id = :id"), {"id": key}).first()
    if row is None:
        raise HTTPException(404)
    found = db.execute(text(
        "SELECT p.*, o.name FROM participant p JOIN organisation o ON o.id = p.organisation_id WHERE process_id = :id"
        " ORDER BY joined_on"), {"id": key}).all()
    people = [{"id": one.id, "organisation": one.name, "role": one.role, "state": one.state,
               "joined_on": one.joined_on.isoformat()} for one in found]
    return {**shown(row), "participants": people}


def similar(db, words, limit):
    rows = db.execute(text(SIMILAR.format(":q", ":limit")), {"q": query(words), "limit": limit}).all()
    return [{"challenge": {"id": row.id, "title": json.loads(row.description)["title"], "organisation": row.organisation},
             "score": round(row.score, 3)} for row in rows]


@app.post("/challenges/check")
def check(challenge: Challenge, db: Db, authorization: Annotated[Optional[str], Header()] = None):
    told = challenge.model_dump(mode="json")
    alike = similar(db, words(told), 5) if authorization and signed_in(authorization) else []
    return {"assessment": assess(told), "warnings": warnings(told), "similar": alike}


def challenge_shown(row):
    return {"id": row.id, "status": row.status, "organisation": {"id": row.organisation_id, "name": row.name},
            **json.loads(row.description), "assessment": json.loads(row.assessment),
            "created_at": row.created_at.isoformat() + "Z", "updated_at": row.updated_at.isoformat() + "Z"}


OWNED = "SELECT c.*, o.name FROM {} c JOIN organisation o ON o.id = c.organisation_id"


@app.post("/challenges", status_code=201)
def create(challenge: Challenge, db: Db, who: Who):
    now, key, told = datetime.now(timezone.utc).replace(tzinfo=None), str(uuid.uuid4()), challenge.model_dump(mode="json")
    db.execute(text("INSERT INTO bench_challenge VALUES (:id, :body, :theme, :description, :words, 'draft', :assessment, :now, :now)"),
               {"id": key, "body": who["body"], "theme": challenge.theme, "description": json.dumps(told), "words": words(told),
                "assessment": json.dumps(assess(told)), "now": now})
    for code in challenge.cpv:
        db.execute(text("INSERT INTO bench_cpv VALUES (:id, :code)"), {"id": key, "code": code})
    db.execute(text("INSERT INTO bench_fact VALUES (:id, :subject, 'drafted', :now)"),
               {"id": str(uuid.uuid4()), "subject": key, "now": now})
    shown = challenge_shown(db.execute(text(OWNED.format("bench_challenge") + " WHERE c.id = :id"), {"id": key}).one())
    db.commit()
    return {**shown, "warnings": warnings(told)}


@app.get("/challenges")
def challenges(db: Db, who: Who):
    rows = db.execute(text(OWNED.format("challenge") + " WHERE organisation_id = :body OR status <> 'draft'"
                           " ORDER BY c.changed DESC, c.id DESC LIMIT 51"), {"body": who["body"]}).all()
    return {"items": [challenge_shown(row) for row in rows[:50]], "next": rows[49].id if len(rows) > 50 else None}


@app.get("/challenges/{key}")
def one_challenge(key: str, db: Db, who: Who):
    row = db.execute(text(OWNED.format("challenge") + " WHERE c.id = :id"), {"id": key}).first()
    if row is None or (row.organisation_id != who["body"] and row.status == "draft"):
        raise HTTPException(404)
    return {**challenge_shown(row), "warnings": warnings(json.loads(row.description))}


@app.get("/challenges/{key}/matches")
def matches(key: str, db: Db, who: Who):
    words = db.execute(text("SELECT words FROM challenge WHERE id = :id"), {"id": key}).scalar_one()
    return {"items": [one for one in similar(db, words, 11) if one["challenge"]["id"] != key][:10]}


@app.get("/changes")
def changes(db: Db, who: Who):
    rows = db.execute(text(
        "(SELECT 'challenge' AS kind, id, description::json->>'title' AS title, status, changed FROM challenge"
        "  WHERE organisation_id = :body OR status <> 'draft' ORDER BY changed, id LIMIT 50) UNION ALL"
        " (SELECT 'process', id, title, status, changed FROM process ORDER BY changed, id LIMIT 50) UNION ALL"
        " (SELECT 'organisation', id, name, NULL, changed FROM organisation ORDER BY changed, id LIMIT 50)"
        " ORDER BY changed, id LIMIT 50"), {"body": who["body"]}).all()
    return {"items": [dict(row._mapping) for row in rows], "next": str(rows[-1].changed)}


@app.post("/subscriptions", status_code=202)
def subscribe(wish: Wish, db: Db):
    now, key = datetime.now(timezone.utc).replace(tzinfo=None), str(uuid.uuid4())
    asked = "SELECT count(*) FROM bench_letter WHERE email = :email AND created_at > :since"
    if db.execute(text(asked), {"email": wish.email, "since": now - timedelta(hours=1)}).scalar_one() >= 5:
        return JSONResponse({}, status_code=202)
    db.execute(text("INSERT INTO bench_subscription VALUES (:id, :email, :wish, 'unconfirmed', :now)"),
               {"id": key, "email": wish.email, "wish": wish.model_dump_json(), "now": now})
    token = jwt.encode({"sub": key, "for": "confirm"}, SECRET, algorithm="HS256")
    letter = f"Bekræft dit abonnement: https://skala.example/subscriptions/confirm/{token}"
    db.execute(text("INSERT INTO bench_letter VALUES (:id, :email, :letter, :now)"),
               {"id": str(uuid.uuid4()), "email": wish.email, "letter": letter, "now": now})
    db.commit()
    return JSONResponse({}, status_code=202)
