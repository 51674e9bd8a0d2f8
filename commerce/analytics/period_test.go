package analytics

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func on(t *testing.T, day string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestPeriods(t *testing.T) {
	for name, c := range map[string]struct {
		from, to, compare string
		before            [2]string
		grains            string
	}{
		"thirty days":  {"2026-11-01", "2026-11-30", PreviousPeriod, [2]string{"2026-10-02", "2026-10-31"}, "month 2026-11-01 2026-11-30"},
		"a leap day":   {"2024-02-29", "2024-02-29", PreviousYear, [2]string{"2023-02-28", "2023-02-28"}, "day 2024-02-29 2024-02-29"},
		"a year":       {"2026-01-15", "2027-01-14", PreviousYear, [2]string{"2025-01-15", "2026-01-14"}, "month 2026-02-01 2026-12-31 week 2026-01-19 2026-01-25 day 2026-01-15 2026-01-18 day 2026-01-26 2026-01-31 week 2027-01-04 2027-01-10 day 2027-01-01 2027-01-03 day 2027-01-11 2027-01-14"},
		"within":       {"2026-01-15", "2026-01-20", PreviousPeriod, [2]string{"2026-01-09", "2026-01-14"}, "day 2026-01-15 2026-01-20"},
		"over an edge": {"2026-01-31", "2026-02-01", PreviousPeriod, [2]string{"2026-01-29", "2026-01-30"}, "day 2026-01-31 2026-02-01"},
		"a week":       {"2026-11-16", "2026-11-22", PreviousPeriod, [2]string{"2026-11-09", "2026-11-15"}, "week 2026-11-16 2026-11-22"},
	} {
		s := span{on(t, c.from), on(t, c.to)}
		before := s.previous(c.compare)
		if got := [2]string{date(before.from), date(before.to)}; got != c.before {
			t.Errorf("%s is compared with %v, not %v", name, got, c.before)
		}
		var grains []string
		for _, g := range s.grains(Month, Week, Day) {
			grains = append(grains, g.of, date(g.from), date(g.to))
		}
		if got := strings.Join(grains, " "); got != c.grains {
			t.Errorf("%s is %s, not %s", name, got, c.grains)
		}
	}
	s := span{on(t, "2026-12-30"), on(t, "2027-02-02")}
	for interval, want := range map[string][]span{
		Week:  {{on(t, "2026-12-30"), on(t, "2027-01-03")}, {on(t, "2027-01-04"), on(t, "2027-01-10")}},
		Month: {{on(t, "2026-12-30"), on(t, "2026-12-31")}, {on(t, "2027-01-01"), on(t, "2027-01-31")}, {on(t, "2027-02-01"), on(t, "2027-02-02")}},
		Day:   {{on(t, "2026-12-30"), on(t, "2026-12-30")}, {on(t, "2026-12-31"), on(t, "2026-12-31")}},
	} {
		for i, part := range s.intervals(interval)[:len(want)] {
			if part != want[i] {
				t.Errorf("%s %d is %v, not %v", interval, i, part, want[i])
			}
		}
	}
	if n := len(s.intervals(Day)); n != s.days() {
		t.Errorf("%d days of %d", n, s.days())
	}
}

// A sketch is off by few, and two are as one that was shown all.
func TestSketches(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 10, 300, 5_000, 20_000, 200_000} {
		whole, one, other := make(sketch, registers), make(sketch, registers), make(sketch, registers)
		for i := range n {
			digest := random.Uint64()
			whole.add(digest)
			if i%3 > 0 {
				one.add(digest)
			}
			if i%3 < 2 {
				other.add(digest)
			}
			if whole.add(digest) {
				t.Fatal("the same digest changes it twice")
			}
		}
		one.merge(other)
		one.merge(make(sketch, 7))
		if got := whole.count(); math.Abs(float64(got)-float64(n)) > 1+0.05*float64(n) {
			t.Errorf("%d for %d", got, n)
		}
		if one.count() != whole.count() {
			t.Errorf("merged it is %d, not %d", one.count(), whole.count())
		}
	}
	full := make(sketch, registers)
	var zero [8]byte
	full.add(binary.BigEndian.Uint64(zero[:]))
	if full.count() != 1 {
		t.Errorf("a digest of zeros counts %d", full.count())
	}
}

func TestWhoComesSoFarHasComeToWhatIsBefore(t *testing.T) {
	for step, want := range map[Step]int{Visited: 1, ViewedProduct: 2, AddedToCart: 2, ReachedCheckout: 3, Completed: 4} {
		if got := step.passed(); len(got) != want || got[0] != Visited || got[len(got)-1] != step && step != Visited {
			t.Errorf("%d passes %v", step, got)
		}
	}
}
