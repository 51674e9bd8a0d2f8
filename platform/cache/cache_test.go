package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type thing string

func (t thing) Size() int { return len(t) }

// made gives a maker that counts how often it made something.
func made(count *atomic.Int64, what thing) func(context.Context) (thing, error) {
	return func(context.Context) (thing, error) {
		count.Add(1)
		return what, nil
	}
}

func TestAThingIsMadeOnceWhileItIsKept(t *testing.T) {
	c := New[thing](time.Minute, 1000)
	now := time.Now()
	c.now = func() time.Time { return now }
	var hits, misses, count atomic.Int64
	c.Looked = func(hit bool) {
		if hit {
			hits.Add(1)
		} else {
			misses.Add(1)
		}
	}
	for range 3 {
		if got, err := c.Get(t.Context(), "a", made(&count, "apple")); err != nil || got != "apple" {
			t.Fatalf("%q %v", got, err)
		}
	}
	if count.Load() != 1 || hits.Load() != 2 || misses.Load() != 1 {
		t.Errorf("made %d times, %d hits, %d misses", count.Load(), hits.Load(), misses.Load())
	}
	now = now.Add(time.Minute)
	if got, _ := c.Get(t.Context(), "a", made(&count, "acorn")); got != "acorn" {
		t.Errorf("after its time: %q", got)
	}
}

func TestManyWaitForOneMaking(t *testing.T) {
	c := New[thing](time.Minute, 1000)
	var count atomic.Int64
	release := make(chan struct{})
	var waiting sync.WaitGroup
	for range 20 {
		waiting.Go(func() {
			got, err := c.Get(t.Context(), "a", func(context.Context) (thing, error) {
				count.Add(1)
				<-release
				return "apple", nil
			})
			if err != nil || got != "apple" {
				t.Errorf("%q %v", got, err)
			}
		})
	}
	for count.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	// Who leaves takes it from nobody.
	leaving, leave := context.WithCancel(t.Context())
	leave()
	if _, err := c.Get(leaving, "a", made(&count, "other")); !errors.Is(err, context.Canceled) {
		t.Errorf("one who left: %v", err)
	}
	close(release)
	waiting.Wait()
	if count.Load() != 1 {
		t.Errorf("made %d times", count.Load())
	}
}

func TestErrorsAndPanicsAreNotKept(t *testing.T) {
	c := New[thing](time.Minute, 1000)
	broken := errors.New("broken")
	if _, err := c.Get(t.Context(), "a", func(context.Context) (thing, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("an error: %v", err)
	}
	if _, err := c.Get(t.Context(), "a", func(context.Context) (thing, error) { panic("spilt") }); err == nil || !strings.Contains(err.Error(), "spilt") {
		t.Errorf("a panic: %v", err)
	}
	var count atomic.Int64
	if got, err := c.Get(t.Context(), "a", made(&count, "apple")); err != nil || got != "apple" {
		t.Errorf("afterwards: %q %v", got, err)
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	c := New[thing](time.Minute, 1000)
	var count atomic.Int64
	for i := range 100 {
		if _, err := c.Get(t.Context(), fmt.Sprint("key ", i), made(&count, thing(strings.Repeat("x", 90)))); err != nil {
			t.Fatal(err)
		}
		if c.size > 1000 {
			t.Fatalf("%d bytes are kept", c.size)
		}
	}
	if c.Len() < 5 {
		t.Errorf("only %d things are kept", c.Len())
	}
}
