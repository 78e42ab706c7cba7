from tests.support.drivers.containers import FUNCTIONS, Containers
from tests.support.tournament import GOALS_OF_2022, replay_2022


def test_all_matches_of_2022_make_172_ready_highlights(containers: Containers) -> None:
    """Every goal of the tournament becomes one READY highlight, and nothing else does."""
    report = replay_2022(containers)
    assert (report.ready, report.missing, report.unexpected) == (GOALS_OF_2022, {}, set())
    assert containers.statuses() == {"READY": GOALS_OF_2022}


def test_three_times_over_and_shuffled_they_are_still_172(containers: Containers) -> None:
    """Events that are posted again, in another order, change nothing."""
    report = replay_2022(containers, times=3, shuffle=2022)
    assert (report.ready, report.missing, report.unexpected) == (GOALS_OF_2022, {}, set())
    assert containers.statuses() == {"READY": GOALS_OF_2022}


def test_two_of_each_do_it_exactly_once_too(containers: Containers) -> None:
    """With two instances of each function and of the trigger."""
    twice = (*FUNCTIONS, "kafka-trigger")
    containers.up("--no-recreate", *[f"--scale={service}=2" for service in twice])
    assert all(len(containers.ids(service)) == 2 for service in twice)
    report = replay_2022(containers, times=3, shuffle=2022)
    containers.up("--no-recreate")
    assert (report.ready, report.missing, report.unexpected) == (GOALS_OF_2022, {}, set())
    assert containers.statuses() == {"READY": GOALS_OF_2022}


def test_the_replay_service_replays_them_from_within(containers: Containers) -> None:
    """`docker compose run --build --rm replay` needs nothing but Docker."""
    output = containers.compose("run", "--build", "--rm", "--no-TTY", "replay", "--speed", "max")
    assert f"{GOALS_OF_2022} of {GOALS_OF_2022} highlights are READY" in output
