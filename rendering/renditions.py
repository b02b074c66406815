"""Renditions: asked for, painted once, cancelled, tried again, removed."""

import io
import logging
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import PROTECT, Case, F, Model, Q, QuerySet, When
from django.utils import timezone

from rendering import cache, canvases, events, labels, pipeline, queue, recipes, store, supervision
from rendering.imaging import Pixels
from rendering.imaging.header import Limits, Refused
from rendering.models import WAITING, Commission, Export, Found, Priority, Reason, Rendition, Source, State, Work
from rendering.recipes import FULL_SIZE, Recipe
from rendering.styles.base import Bench, ParameterError, Values

log = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)
UNIT_PIXELS = 16_000_000
"""So many pixels are painted at most before another lane has its turn, or one painting if it has more."""
PREVIEW_WIDTH = 480
"""The name of a preview's file; it is at most settings.PREVIEW_EDGE long."""
LOOK_SECONDS = 0.2
"""Between two looks at what others have done to the work meanwhile: a lost claim is refused at the end in any case."""
NEWS_SECONDS = 0.5
"""Between two times that pages are told of paintings of one unit."""

PLACES, ERROR_LENGTH = 6, 3000
"""So many places in the code, and so many characters, are kept of what made work fail."""


@dataclass
class Every:
    """What is due each so many seconds, counted from now, and not in between."""

    seconds: float
    last: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        """Return whether so many seconds have passed since it was due last."""
        now = time.monotonic()
        if now - self.last < self.seconds:
            return False
        self.last = now
        return True


def never() -> bool:
    """Return that nothing is to be broken off."""
    return False


def commission(  # noqa: PLR0913 - all of them say what is asked for
    source: Source,
    *,
    styles: Iterable[str],
    look: str,
    full_size: bool,
    lane: str,
    now: datetime,
    not_before: datetime | None = None,
    changes: Values | None = None,
) -> list[tuple[Commission, bool]]:
    """Ask for a source in a look of these styles; each second is True if that had been asked before ("same file").

    Changes are laid over the look. What has to be painted is not begun before the given time. Raises ParameterError for
    a style, look or parameter that does not exist.
    """
    long_edge = _long_edge(source, full_size=full_size)
    composed = (recipes.compose(style, look=look, long_edge=long_edge, changes=changes) for style in styles)
    wanted = {each.digest: each for each in composed}
    known = found = _commissions(source, wanted)
    asked = {"source": source, "lane": lane, "created_at": now, "not_before": not_before}
    new = [Commission(recipe=wanted[key].text, recipe_digest=key, **asked) for key in sorted(wanted.keys() - known)]
    if new:
        Commission.objects.bulk_create(new, ignore_conflicts=True)
        found = _commissions(source, wanted)
    # After the commit: the source may be read by a worker at this very moment. Robust: `tend` asks again if it fails.
    transaction.on_commit(lambda: request(source.pk), robust=True)
    return [(found[key], key in known) for key in wanted]


def request(source_id: int) -> None:
    """Find or make a rendition for each commission of a source that has been read, and have the new ones painted."""
    source = Source.objects.filter(pk=source_id, state=State.DONE).first()
    if source is None:
        return
    with transaction.atomic():
        # Locked: who asks for the same source at the same time finds nothing left to do. In an order that is the same
        # for all sources: two requests that make the same renditions must not wait for each other.
        unresolved = list(_unresolved().filter(source=source).select_for_update().order_by("recipe"))
        if _resolve(unresolved, source, now=timezone.now()):
            queue.wake()
    events.tell_all({each.lane for each in unresolved})


def request_due(*, now: datetime) -> None:
    """Find or make the renditions of sources for which that was missed, or whose time has come."""
    due = _unresolved().filter(Q(not_before=None) | Q(not_before__lte=now))
    for source in Source.objects.filter(state=State.DONE, commissions__in=due).order_by("pk").distinct():
        request(source.pk)


def source_of(rendition: Rendition, *, prefer: int = 0) -> Source | None:
    """Return a source that has been read and asks for this rendition; the preferred one if it does."""
    asking = Source.objects.filter(state=State.DONE, commissions__rendition=rendition)
    return asking.order_by(Case(When(pk=prefer, then=0), default=1), "pk").first()


def paint(first: Rendition, source: Source | None = None, *, stop: Callable[[], bool] = never) -> None:
    """Paint a rendition that waits, and all others that the same canvas still needs, as far as they fit a unit.

    From this source, or any that asks for it. When `stop` says so between two of them, the rest goes back to waiting.
    """
    source = source or source_of(first)
    if source is None:
        # Nobody asks for it any more.
        first.cancel(now=timezone.now())
        return
    claimed = _claim_kin(first, source)
    if claimed:
        lanes = _tell(claimed)
        _paint_canvas(source, claimed, lanes, stop)
        _tell(claimed)


def preview(source: Source) -> None:
    """Paint drafts of what waits of a source, small and with a broad hand, to look at while the queue is long."""
    canvas = canvases.peek(source)
    if canvas is None or _length_of_all() < settings.PREVIEWS_FROM:
        return
    clock = time.process_time()
    waiting = Rendition.objects.filter(WAITING, commissions__source=source, preview="").distinct()
    bench = Bench(pipeline.shrink(canvas, settings.PREVIEW_EDGE), draft=True)
    for rendition in waiting:
        # A preview that fails is none; the painting itself tells why.
        with suppress(ParameterError, store.Unavailable):
            _keep_preview(rendition, pipeline.paint_on(bench, recipes.parse(rendition.recipe)))
    # They belong to the reading: the painting is paid for as if there had been none.
    spent = F("cpu_seconds") + (time.process_time() - clock)
    Source.objects.filter(pk=source.pk, state=State.DONE).update(cpu_seconds=spent)


def watch(source_ids: Iterable[int]) -> None:
    """Put what waits of these sources to the front of its lane: somebody looks at it."""
    wanted = list(source_ids)
    Source.objects.filter(WAITING, pk__in=wanted).update(priority=Priority.WATCHED)
    waiting = Rendition.objects.filter(WAITING, commissions__source__in=wanted)
    Rendition.objects.filter(pk__in=list(waiting.values_list("pk", flat=True))).update(priority=Priority.WATCHED)


def cancel(commission: Commission, *, now: datetime) -> None:
    """Stop what nobody wants any more; the caller knows that nobody else wants it."""
    cancel_all([commission.pk], now=now)


def cancel_all(commission_ids: Iterable[int], *, now: datetime) -> None:
    """Stop what nobody wants any more; the caller knows that nobody else wants any of it."""
    given_up = Commission.objects.filter(pk__in=list(commission_ids))
    given_up.filter(rendition=None).update(wanted=False)
    lanes = set(given_up.values_list("lane", flat=True).distinct())
    painted = list(given_up.exclude(rendition=None).values_list("rendition", flat=True))
    unfinished = Rendition.objects.all().unfinished().filter(pk__in=painted)
    unfinished.update(state=State.CANCELLED, lease_until=None, finished_at=now)
    events.tell_all(lanes)


def retry(commission: Commission, *, now: datetime) -> None:
    """Try failed or cancelled work again: the photo's reading, or this painting."""
    source = commission.source
    Commission.objects.filter(pk=commission.pk).update(wanted=True)
    read_again(source, now=now)
    if commission.rendition is not None:
        paint_again(commission.rendition, now=now)
    transaction.on_commit(lambda: request(source.pk), robust=True)


def read_again(source: Source, *, now: datetime) -> bool:
    """Have a photo read again whose reading failed; False if it did not fail."""
    renewed = source.renew(now=now)
    if renewed:
        queue.wake()
        events.tell(source.lane)
    return renewed


def paint_again(rendition: Rendition, *, now: datetime) -> bool:
    """Have a rendition painted again that failed, was cancelled or evicted; False if it was none of these.

    False as well if nobody asks for it.
    """
    renewed = rendition.commissions.exists() and rendition.renew(now=now)
    if renewed:
        queue.wake()
        _tell([rendition])
    return renewed


def release(commission_ids: Iterable[int], *, keep: bool = False) -> None:
    """Remove commissions that nobody's history holds any more, and their renditions with all files.

    With `keep` what is painted stays for a while (`lifetimes`), so that asking again costs nothing.
    """
    with transaction.atomic():
        gone = delete_free(Commission.objects.filter(pk__in=list(commission_ids)))
        painted = [each.rendition_id for each in gone if each.rendition_id]
        orphans = Rendition.objects.filter(pk__in=painted, commissions=None)
        remove_orphans(orphans.exclude(state=State.DONE) if keep else orphans)


def remove_orphans(orphans: QuerySet[Rendition]) -> None:
    """Remove renditions that no commission holds, with their exports and files."""
    with transaction.atomic():
        ids = list(orphans.values_list("pk", flat=True))
        # Locked: an export that is finished just now finds its row gone, and removes its file itself.
        exports = list(Export.objects.filter(rendition__in=ids).order_by("pk").select_for_update())
        for removed in delete_free(Rendition.objects.filter(pk__in=ids)):
            remove_files_after_commit(removed, [each for each in exports if each.rendition_id == removed.pk])


def remove_files_after_commit(rendition: Rendition, exports: Sequence[Export]) -> None:
    """Remove a rendition's files, its preview and its exports' files, once the transaction has been committed."""
    folder, widths, preview = rendition.folder, list(rendition.widths), rendition.preview
    exported = [export.file for export in exports if export.file]
    transaction.on_commit(lambda: store.remove(exported))
    if folder:
        transaction.on_commit(lambda: store.remove_pages(folder, widths))
    if preview:
        transaction.on_commit(lambda: store.remove_pages(preview, [PREVIEW_WIDTH]))


def delete_free(rows: QuerySet[Row], *also_held_by: str) -> list[Row]:
    """Delete those of these rows to which nothing points that protects them, and return what they last held.

    The database decides, not a counter. Many rows take as many statements as one, and one more for each hundred.
    """
    model = rows.model
    relations = model._meta.related_objects  # noqa: SLF001 - Django's name
    holders = [relation.name for relation in relations if relation.on_delete is PROTECT]
    with transaction.atomic():
        # Locked and read again: a worker may have filled one a moment ago, and its files must go as well. Who gets
        # hold of one from now on waits, and then finds it gone.
        latest = {row.pk: row for row in rows.order_by("pk").select_for_update()}
        held_by_nothing = dict.fromkeys([*holders, *also_held_by])
        free: QuerySet[Row] = QuerySet(model).filter(pk__in=latest, **held_by_nothing)
        ids = list(free.values_list("pk", flat=True))
        QuerySet(model).filter(pk__in=ids).delete()
    return [latest[pk] for pk in ids]


def start(work: Work) -> bool:
    """Claim work for the job that this process does; True for exactly one."""
    return work.start(**_terms())


@contextmanager
def failing_with_reason(work: Sequence[Work]) -> Iterator[None]:
    """End the work with a reason when what is inside raises; the log has the rest."""
    try:
        yield
    except supervision.TooSlow as error:
        _fail(work, Reason.TOO_SLOW, error)
    except store.Missing as error:
        log.exception("a file is lost")
        _fail(work, Reason.STORAGE, error)
    except (store.Unavailable, DatabaseError) as error:
        log.exception("the storage or the database failed")
        _put_off(work, error)
    except Exception as error:  # noqa: BLE001 - it is told as a reason, or logged
        _fail(work, _reason_of(error), error)


def limits() -> Limits:
    """Return what the site accepts."""
    return Limits(max_bytes=settings.MAX_MEGABYTES * 1_000_000, max_megapixels=settings.MAX_MEGAPIXELS)


def seconds_for(pixels: int, *, paintings: int = 1) -> int:
    """Return the time limit of work on so many pixels: generous, since a loaded machine is slow, but bounded."""
    return round(20 + 3 * paintings * pixels / 1_000_000)


def pixels_of(source: Source, recipe: Recipe) -> int:
    """Return how many pixels this recipe paints of a source."""
    full = recipe.long_edge == FULL_SIZE
    return source.width * source.height if full else source.canvas_width * source.canvas_height


def _long_edge(source: Source, *, full_size: bool) -> int:
    larger = max(source.width, source.height) > settings.LONG_EDGE
    return FULL_SIZE if full_size and larger else settings.LONG_EDGE


def _unresolved() -> QuerySet[Commission]:
    return Commission.objects.filter(rendition=None, wanted=True)


def _commissions(source: Source, digests: Iterable[str]) -> dict[str, Commission]:
    found = source.commissions.filter(recipe_digest__in=list(digests)).select_related("rendition")
    return {each.recipe_digest: each for each in found}


def _resolve(unresolved: Sequence[Commission], source: Source, *, now: datetime) -> bool:
    """Give commissions their renditions, found or made, unless they have to be made and their time has not come.

    True if any of them waits to be painted.
    """
    places = {each: (cache.painted_key(source, recipes.parse(each.recipe)), each.recipe_digest) for each in unresolved}
    found = _renditions(places.values())
    wanted = [each for each in unresolved if _is_due(each, found.get(places[each]), now=now)]
    new = [_rendition(each, places[each], now=now) for each in wanted if places[each] not in found]
    # Who loses the race for a row finds the winner's.
    Rendition.objects.bulk_create(new, ignore_conflicts=True)
    made = {place: each for place, each in _renditions(places.values()).items() if place not in found} if new else {}
    for each in wanted:
        each.rendition = made.get(places[each]) or _found(found[places[each]], each, now=now)
        mine = places[each] in made and each.rendition.waiting_since == now
        each.found = Found.PAINTED if mine else Found.SAME_PICTURE
    Commission.objects.bulk_update(wanted, ["rendition", "found"])
    return any(each.rendition and each.rendition.state == State.WAITING for each in wanted)


def _renditions(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Rendition]:
    # Locked: a rendition that is found must not be removed before it is held.
    keys, digests = ({place[0] for place in places}, {place[1] for place in places})
    found = Rendition.objects.filter(canvas_key__in=keys, recipe_digest__in=digests).order_by("pk").select_for_update()
    return {(each.canvas_key, each.recipe_digest): each for each in found}


def _is_due(asked: Commission, found: Rendition | None, *, now: datetime) -> bool:
    held = asked.not_before is not None and asked.not_before > now
    return not held or (found is not None and found.state == State.DONE)


def _rendition(asked: Commission, place: tuple[str, str], *, now: datetime) -> Rendition:
    recipe = recipes.parse(asked.recipe)
    return Rendition(
        canvas_key=place[0],
        recipe_digest=place[1],
        recipe=recipe.text,
        style=recipe.style,
        style_version=recipe.version,
        lane=asked.lane,
        priority=Priority.LAST if recipe.long_edge == FULL_SIZE else Priority.USUAL,
        waiting_since=now,
        used_at=now,
    )


def _found(rendition: Rendition, asked: Commission, *, now: datetime) -> Rendition:
    """Return a rendition that somebody else has asked for before, so that this person gets it no later than alone."""
    Rendition.objects.filter(pk=rendition.pk).update(used_at=now)
    if rendition.state in (State.CANCELLED, State.EVICTED) and rendition.renew(now=now):
        rendition.state = State.WAITING
    if rendition.state == State.WAITING and _length(asked.lane) < _length(rendition.lane):
        Rendition.objects.filter(WAITING, pk=rendition.pk).update(lane=asked.lane)
    return rendition


def _length(lane: str) -> int:
    return Rendition.objects.filter(WAITING, lane=lane).count()


def _length_of_all() -> int:
    """Return how many paintings are to come, those of photos that have not been read yet among them."""
    unread = Commission.objects.filter(rendition=None, wanted=True, source__state=State.WAITING)
    return Rendition.objects.filter(WAITING).count() + unread.count()


def _claim_kin(first: Rendition, source: Source) -> list[Rendition]:
    """Claim a rendition and what is painted together with it: what has ended a worker's child is painted alone."""
    alone = Q(pk=first.pk)
    waiting = Rendition.objects.filter(WAITING, alone)
    if not first.crashes:
        waiting |= Rendition.objects.all().ready(now=timezone.now()).filter(canvas_key=first.canvas_key, crashes=0)
    room = max(1, UNIT_PIXELS // max(1, pixels_of(source, recipes.parse(first.recipe))))
    return waiting.order_by(Case(When(alone, then=0), default=1), "pk")[:room].claim(**_terms())


def _terms() -> dict[str, Any]:  # Any: what a claim says, each of another type
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    return {
        "now": timezone.now(),
        "lease": lease,
        "holder": queue.current_job(),
        "worker": queue.current_worker(),
    }


def _paint_canvas(source: Source, claimed: Sequence[Rendition], lanes: Iterable[str], stop: Callable[[], bool]) -> None:
    log.info("source %d is painted as renditions %s", source.pk, ", ".join(str(each.pk) for each in claimed))
    with failing_with_reason(claimed):
        recipe = recipes.parse(claimed[0].recipe)
        seconds = seconds_for(pixels_of(source, recipe))
        with supervision.doing(claimed[0], seconds=seconds, everything=True):
            bench = Bench(_canvas(source, recipe))
        look, news = Every(LOOK_SECONDS), Every(NEWS_SECONDS)
        for place, rendition in enumerate(claimed):
            if place and (supervision.told_to_end() or stop()):
                _lay_aside(source, bench.canvas, claimed[place:])
                return
            # Cancelled, removed, or given to another worker meanwhile?
            if not look.is_due() or rendition.is_held():
                _paint_next(rendition, bench, seconds=seconds)
            if news.is_due():
                events.tell_all(lanes)


def _lay_aside(source: Source, canvas: Pixels, rest: Sequence[Rendition]) -> None:
    for rendition in rest:
        rendition.release()
    if max(canvas.shape) == max(source.canvas_width, source.canvas_height):
        canvases.hold(source, canvas)
        canvases.spill(source)


def _canvas(source: Source, recipe: Recipe) -> Pixels:
    if cache.painted_key(source, recipe) == source.canvas_key:
        kept = canvases.take(source)
        if kept is not None:
            return kept
    original = io.BytesIO(store.read(source.original))
    return pipeline.open_canvas(original, long_edge=recipe.long_edge, limits=limits())


def _paint_next(rendition: Rendition, bench: Bench, *, seconds: float) -> None:
    # A style that fails does not take the others with it.
    with failing_with_reason([rendition]), supervision.doing(rendition, seconds=seconds):
        _file(rendition, pipeline.paint_on(bench, recipes.parse(rendition.recipe)))


def _file(rendition: Rendition, painting: pipeline.Painting) -> None:
    height, width = painting.pixels.shape[:2]
    files = pipeline.smaller(painting.pixels, settings.PAGE_WIDTHS)
    # The largest is what people download: it says how it was painted.
    files[width] = labels.write(painting.pixels, labels.of(painting.recipe))
    pages = store.put_pages("renditions", files)
    now = timezone.now()
    kept = rendition.finish(
        now=now,
        cpu_seconds=painting.cpu_seconds,
        width=width,
        height=height,
        folder=pages.folder,
        widths=pages.widths,
        stored_bytes=pages.size,
        largest_bytes=pages.largest,
        preview="",
        used_at=now,
    )
    if kept:
        log.info("rendition %d of lane %s was painted", rendition.pk, rendition.lane)
    # Cancelled, removed, or given to another worker meanwhile: a late result is refused.
    useless = (rendition.preview, [PREVIEW_WIDTH]) if kept else (pages.folder, pages.widths)
    if useless[0]:
        store.remove_pages(*useless)


def _keep_preview(rendition: Rendition, painting: pipeline.Painting) -> None:
    pages = store.put_pages("previews", {PREVIEW_WIDTH: pipeline.small_file(painting.pixels)})
    waiting = Rendition.objects.filter(WAITING, pk=rendition.pk, preview="")
    if not waiting.update(preview=pages.folder):
        store.remove_pages(pages.folder, pages.widths)


def _tell(group: Sequence[Rendition]) -> set[str]:
    """Have the pages look again of all who ask for any of these; return their lanes."""
    wishes = Commission.objects.filter(rendition__in=[each.pk for each in group])
    lanes = set(wishes.values_list("lane", flat=True))
    events.tell_all(lanes)
    return lanes


def _reason_of(error: Exception) -> Reason:
    if isinstance(error, Refused):
        return Reason(error.code)
    if isinstance(error, MemoryError):
        return Reason.OUT_OF_MEMORY
    if isinstance(error, ParameterError):
        # It was asked for before the style got another version.
        return Reason.OUTDATED
    log.error("unexpected", exc_info=error)
    return Reason.UNEXPECTED


def _put_off(work: Sequence[Work], error: BaseException) -> None:
    """Have it tried again in a moment: storages come back. After so many tries it fails with the reason."""
    now = timezone.now()
    for each in work:
        # 0: it has been removed meanwhile, and nothing below finds it.
        tries = type(each).objects.filter(pk=each.pk).values_list("tries", flat=True).first() or 0
        if tries < settings.MAX_STORAGE_TRIES:
            each.postpone(until=now + timedelta(seconds=5 * tries))
        else:
            each.fail(Reason.STORAGE, now=now, error=_told(error))


def _fail(work: Sequence[Work], reason: Reason, error: BaseException) -> None:
    for each in work:
        each.fail(reason, now=timezone.now(), error=_told(error))


def _told(error: BaseException) -> str:
    """Return what was raised, and the last places in the code; the end of it says most."""
    return "".join(traceback.format_exception(error, limit=-PLACES))[-ERROR_LENGTH:]
