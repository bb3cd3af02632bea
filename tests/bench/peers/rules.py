"""What both peers know of challenges: the three criteria of welfare technology, a few warnings, and the words that find similar ones."""

import re

MIN_HOURS, MIN_OTHERS = 1, 1
WORD = re.compile(r"\w{3,}")
CPR = re.compile(r"\b\d{6}-?\d{4}\b")
# As their `matches`: PostgreSQL's full text, best first.
SIMILAR = ("SELECT c.id, c.description, c.status, o.name AS organisation, ts_rank(to_tsvector('danish', words), q) AS score"
           " FROM challenge c JOIN organisation o ON o.id = c.organisation_id, to_tsquery('danish', {}) q"
           " WHERE to_tsvector('danish', words) @@ q ORDER BY score DESC LIMIT {}")


def query(text):
    """The words of a text as PostgreSQL's full text takes them: any of them."""
    return " | ".join(sorted(set(WORD.findall(text.lower()))))


def words(told):
    return "\n".join(told.get(field) or "" for field in ("title", "problem", "desired_effect", "affected_users")).lower()


def finding(key, verdict, reason, facts, to_change=None, *pointers):
    return {"key": key, "verdict": verdict, "reasons": [reason], "facts": facts, "to_change": to_change,
            "changes": [{"pointer": pointer} for pointer in pointers]}


def time_savings(given):
    if not given:
        return finding("time_savings", "unclear", "Der står ikke, hvor meget tid der frigives", {},
                       "Angiv timer om året, og hvordan I ved det", "/time_savings/hours_per_year", "/time_savings/basis")
    hours, facts = given.get("hours_per_year"), {**given, "min_hours_per_year": MIN_HOURS}
    factors = [given.get(name) for name in ("minutes_per_occasion", "occasions_per_week", "staff_count")]
    if hours is None and None not in factors:
        hours = factors[0] * factors[1] * factors[2] * 52 / 60
    if hours is None:
        return finding("time_savings", "unclear", "Tiden kan ikke regnes ud", facts,
                       f"Angiv timer om året i alt (mindst {MIN_HOURS})", "/time_savings/hours_per_year")
    if hours < MIN_HOURS:
        return finding("time_savings", "not_met", f"{hours:.0f} timer om året er under kriteriets {MIN_HOURS}", facts,
                       f"Vis, at der frigives mindst {MIN_HOURS} timer", "/time_savings/hours_per_year")
    return finding("time_savings", "met", f"Der frigives {hours:.0f} timer om året", facts)


def scale(given):
    given = given or {}
    others = {name.strip().lower() for name in given.get("known_bodies") or []}
    volume = bool(given.get("volume") or given.get("affected_people"))
    facts = {"named_bodies": len(others), "has_volume": volume, "min_other_bodies": MIN_OTHERS}
    if len(others) >= MIN_OTHERS and volume:
        return finding("scale", "met", f"Udfordringen deles af {len(others)} andre", facts)
    return finding("scale", "unclear", "Det er ikke vist, hvem andre der har udfordringen", facts,
                   "Nævn andre ved navn, og angiv volumen", "/scale/known_bodies", "/scale/affected_people")


def anchoring(given):
    given = given or {}
    missing = [side for side in ("political", "administrative") if not given.get(side)]
    if missing:
        return finding("anchoring", "unclear", "Der står ikke, hvem i toppen der bakker op", given,
                       "Nævn en politisk og en administrativ leder", *(f"/anchoring/{side}" for side in missing))
    return finding("anchoring", "met", "Begge står bag", given)


def assess(told):
    """A verdict for each criterion, and the least of them."""
    criteria = [time_savings(told.get("time_savings")), scale(told.get("scale")), anchoring(told.get("anchoring"))]
    outcome = min((one["verdict"] for one in criteria), key=["not_met", "unclear", "met"].index)
    return {"criteria_set": "welfare-technology", "version": 1, "outcome": outcome, "criteria": criteria}


def warnings(told):
    found = []
    for field in ("title", "problem", "desired_effect", "affected_users"):
        text = told.get(field) or ""
        if CPR.search(text):
            found.append({"pointer": f"/{field}", "code": "cpr_number", "detail": "Teksten indeholder et CPR-nummer"})
        if field == "problem" and len(text.split()) < 30:
            found.append({"pointer": "/problem", "code": "short", "detail": "Fortæl mere: hvem, hvor og hvor tit"})
    return found
