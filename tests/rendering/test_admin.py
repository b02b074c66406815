"""The admin of what workers do: to look at, to try again and to stop."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from gallery.models import User
from rendering import queue
from rendering.models import Commission, Export, Halt, Lane, Reason, Rendition, Source, State
from tests.makers import browser, person
from tests.rendering import makers
from tests.rendering.makers import admit, commission, photo

LISTS = {"source": 6, "rendition": 7, "commission": 5}
MORE = {"export": 5, "lane": 5, "halt": 5}


def changelist(name: str) -> str:
    return reverse(f"admin:rendering_{name}_changelist")


def act(client: Client, name: str, action: str) -> list[str]:
    """Choose all rows of a list for an action, and return what the admin says."""
    chosen = {"source": Source, "rendition": Rendition}[name].objects.values_list("pk", flat=True)
    posted = {"action": action, "_selected_action": list(chosen)}
    response = client.post(changelist(name), posted, follow=True)
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def work(media, transactional_db) -> Commission:
    """Return a commission of a photo that was read."""
    return commission(makers.read(photo()))


@pytest.mark.parametrize(("name", "queries"), LISTS.items())
@pytest.mark.parametrize("count", [1, 3])
def test_lists_ask_a_constant_number_of_queries(media, as_admin, name, queries, count, django_assert_num_queries):
    for seed in range(count):
        source = makers.source_row()
        rendition = makers.rendition_row()
        facts = {"recipe": rendition.recipe, "recipe_digest": str(seed), "created_at": makers.NOON}
        Commission.objects.create(source=source, rendition=rendition, **facts)

    with django_assert_num_queries(queries):
        response = as_admin.get(changelist(name))

    assert response.context["cl"].result_count == count


def test_list_of_files_tells_how_large_they_are_in_pixels_and_bytes(media, as_admin):
    makers.source_row(width=4000, height=3000, size=2_500_000)

    page = as_admin.get(changelist("source")).content.decode()

    assert '<td class="field-dimensions">4000 x 3000</td>' in page
    assert '<td class="field-bytes">2.4\xa0MB</td>' in page


@pytest.mark.parametrize("name", LISTS)
def test_rows_are_shown_found_and_never_edited(work, as_admin, name):
    row = {"source": work.source, "rendition": work.rendition, "commission": work}[name]
    address = reverse(f"admin:rendering_{name}_change", args=[row.pk])

    found = as_admin.get(changelist(name), {"q": str(row.pk)})
    shown, posted = as_admin.get(address), as_admin.post(address, {"state": "done"})
    added = as_admin.get(reverse(f"admin:rendering_{name}_add"))
    removed = as_admin.post(reverse(f"admin:rendering_{name}_delete", args=[row.pk]), {"post": "yes"})

    assert found.context["cl"].result_count == 1
    assert [each.status_code for each in (shown, posted, added, removed)] == [200, 403, 403, 403]


def test_failed_photo_is_read_again(media, as_admin, valkey, transactional_db):
    failed, _ = admit(photo(1)), admit(photo(2))
    Source.objects.filter(pk=failed.pk).update(state=State.FAILED, reason=Reason.STORAGE)
    valkey.client.flushall()

    said = act(as_admin, "source", "try_again")

    assert said == ["1 will be tried again."]
    assert queue.length() == 1
    assert set(Source.objects.values_list("state", flat=True)) == {State.WAITING}


@pytest.mark.parametrize("ended", [State.FAILED, State.CANCELLED, State.EVICTED])
def test_painting_that_ended_is_painted_again(work, as_admin, valkey, ended):
    Rendition.objects.update(state=ended, reason=Reason.OUT_OF_MEMORY)
    valkey.client.flushall()

    said = act(as_admin, "rendition", "try_again")

    assert said == ["1 will be tried again."]
    assert (Rendition.objects.get().state, Rendition.objects.get().reason) == (State.WAITING, "")
    assert queue.length() == 1


def test_painting_is_stopped(work, as_admin):
    said = act(as_admin, "rendition", "stop")

    assert said == ["1 was stopped."]
    assert Rendition.objects.get().state == State.CANCELLED


def test_finished_painting_is_neither_stopped_nor_painted_again(work, as_admin):
    makers.paint_all(work.source)

    said = [*act(as_admin, "rendition", "stop"), *act(as_admin, "rendition", "try_again")]

    assert said == ["0 were stopped.", "0 will be tried again."]
    assert Rendition.objects.get().state == State.DONE


def test_staff_who_may_only_look_may_not_steer(work):
    looker: User = person("lena", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_rendition"))

    shown = browser(looker).get(changelist("rendition"))
    act(browser(looker), "rendition", "stop")

    assert shown.context["cl"].result_count == 1
    assert Rendition.objects.get().state == State.WAITING


@pytest.mark.parametrize(("name", "queries"), MORE.items())
@pytest.mark.parametrize("count", [1, 3])
def test_lists_of_the_queue_ask_a_constant_number_of_queries(
    media, as_admin, name, queries, count, django_assert_num_queries
):
    for number in range(count):
        facts = {"format": "png", "intensity": 100, "waiting_since": makers.NOON, "used_at": makers.NOON}
        Export.objects.create(rendition=makers.rendition_row(), **facts)
        Lane.objects.create(name=f"person-{number}", served_at=makers.NOON)
        Halt.objects.create(worker=f"worker-{number}", since=makers.NOON)

    with django_assert_num_queries(queries):
        response = as_admin.get(changelist(name))

    assert response.context["cl"].result_count == count


def test_what_staff_do_is_in_the_rows_own_history(work, as_admin, admin):
    act(as_admin, "rendition", "stop")

    page = as_admin.get(reverse("admin:rendering_rendition_history", args=[work.rendition.pk]))

    assert [(entry.user, entry.change_message) for entry in page.context["action_list"]] == [(admin, "stopped")]
