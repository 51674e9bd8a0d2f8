package jobs

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A lane has one worker until it answers promptly, then a few, and one again when it does not.
func TestALaneHasWorkersAsItAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShares()
		var at []func()
		begin := func(want int, rest time.Duration) {
			t.Helper()
			for {
				done, stand := s.take(t.Context(), calls, 512, lane{"store", "lane"})
				if done == nil {
					if len(at) != want || stand != rest {
						t.Fatalf("it has %d and stands back for %s, want %d and %s", len(at), stand, want, rest)
					}
					return
				}
				at = append(at, done)
			}
		}
		end := func() {
			for _, done := range at {
				done()
			}
			at = nil
		}
		begin(1, shareRest)
		end()
		begin(laneCalls, shareRest)
		time.Sleep(2 * promptly)
		begin(laneCalls, slowRest)
		end()
		begin(1, slowRest)
		end()
		begin(laneCalls, shareRest)
		end()
	})
}

// However many lanes are slow, half of the workers are left to those that are not, and a
// store has no more than half.
func TestSlowLanesLeaveHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShares()
		const at = 64
		hang := func(store string, lanes int) (took []func()) {
			for i := range lanes {
				if done, _ := s.take(t.Context(), calls, at, lane{store, fmt.Sprint(i)}); done != nil {
					took = append(took, done)
				}
			}
			return took
		}
		first := hang("one", at)
		if len(first) != at/2 {
			t.Errorf("one store has %d of %d workers", len(first), at)
		}
		time.Sleep(2 * promptly)
		first[0]()
		first = append(first[1:], hang("two", 1)...) // of which nothing is known yet
		time.Sleep(2 * promptly)
		if again := hang("one", 1); len(again) != 0 {
			t.Error("a slow lane has a worker while half of them have slow calls")
		}
		if fresh := hang("three", at); len(fresh) != at/2 {
			t.Errorf("%d are left to others", len(fresh))
		} else {
			first = append(first, fresh...)
		}
		for _, done := range first {
			done()
		}
		if again := hang("one", 1); len(again) != 1 {
			t.Error("a slow lane has no worker although all are free")
		} else {
			again[0]()
		}
		if s.late != 0 {
			t.Errorf("%d calls are late and there are none", s.late)
		}
	})
}
