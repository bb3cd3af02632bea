"""The same calls by FastAPI, SQLAlchemy and uvicorn, on the same tables."""

import json
import os
import uuid
from datetime import datetime, timezone
from typing import Annotated, Optional

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, EmailStr, Field
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


class TimeSavings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    minutes_per_occasion: Optional[float] = Field(None, ge=0)
    occasions_per_week: Optional[float] = Field(None, ge=0)
    staff_count: Optional[int] = Field(None, ge=0)
    basis: str


class Challenge(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)
    problem: str = Field(max_length=6000)
    desired_effect: str = ""
    affected_users: str = ""
    theme: str = ""
    cpv: list[str] = []
    nuts: list[str] = []
    time_savings: Optional[TimeSavings] = None


class Wish(BaseModel):
    email: str
    language: str
    frequency: str
    filter: dict


def shown(row):
    return {
        "id": row.id, "title": row.title, "summary": row.summary, "status": row.status,
        "lead_organisation_id": row.lead_organisation_id, "steps": json.loads(row.steps),
        "created_at": row.created_at.isoformat() + "Z", "updated_at": row.updated_at.isoformat() + "Z",
    }


@app.get("/token")
def token():
    return {"access_token": jwt.encode({"sub": "bench"}, SECRET, algorithm="HS256")}


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


@app.post("/challenges/check")
def check(challenge: Challenge):
    return {"assessment": {"outcome": "unclear", "criteria": []}, "warnings": [], "similar": []}


@app.post("/challenges", status_code=201)
def create(challenge: Challenge, db: Db, who: Who):
    now, key = datetime.now(timezone.utc).replace(tzinfo=None), str(uuid.uuid4())
    db.execute(text("INSERT INTO bench_challenge VALUES (:id, :theme, :description, 'draft', :now)"),
               {"id": key, "theme": challenge.theme, "description": challenge.model_dump_json(), "now": now})
    db.execute(text("INSERT INTO bench_fact VALUES (:id, :subject, 'drafted', :now)"),
               {"id": str(uuid.uuid4()), "subject": key, "now": now})
    db.commit()
    return {"id": key, **challenge.model_dump(), "status": "draft"}


@app.get("/challenges/{key}/matches")
def matches(key: str, db: Db, who: Who):
    words = db.execute(text("SELECT words FROM challenge WHERE id = :id"), {"id": key}).scalar_one()
    query = " | ".join(sorted({word for word in words.split() if word.isalpha()}))
    rows = db.execute(text(
        "SELECT id, description, ts_rank(to_tsvector('danish', words), q) AS score FROM challenge, to_tsquery('danish', :q) q"
        " WHERE to_tsvector('danish', words) @@ q ORDER BY score DESC LIMIT 10"), {"q": query}).all()
    return {"items": [{"challenge": {"id": row.id, "title": json.loads(row.description)["title"]}, "score": row.score}
                      for row in rows]}


@app.get("/changes")
def changes(db: Db, who: Who):
    rows = db.execute(text("SELECT id, title, status, changed FROM process ORDER BY changed, id LIMIT 50")).all()
    return {"items": [dict(row._mapping) for row in rows], "next": str(rows[-1].changed)}


@app.post("/subscriptions", status_code=202)
def subscribe(wish: Wish, db: Db):
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    db.execute(text("INSERT INTO bench_subscription VALUES (:id, :email, :wish, :now)"),
               {"id": str(uuid.uuid4()), "email": wish.email, "wish": wish.model_dump_json(), "now": now})
    db.commit()
    return JSONResponse({}, status_code=202)
