package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// A lane is given one worker for calls until one of its calls was over within promptly, and
// then laneCalls until one was not. So what hangs takes one worker, and nothing from whoever
// answers.
const (
	promptly  = time.Second
	laneCalls = 4
)

// How long a job that finds no worker free for it waits for one, and how long it then stands
// back: for longer in a lane that is slow, as one of its calls has to end first.
const (
	shareWait = 100 * time.Millisecond
	shareRest = time.Second
	slowRest  = 5 * time.Second
)

// shares says who has the workers for the jobs that are not quick. A store has at most half
// of them; slow calls are at most half of all calls.
type shares struct {
	mu     sync.Mutex
	stores map[shareOf]*share
	late   int // calls at work that were not over within promptly
}

// shareOf names a store's share of the workers for a pace.
type shareOf struct {
	pace  pace
	store string
}

type share struct {
	taken int
	lanes map[string]*laneState
	freed chan struct{} // closed when a worker is given back
}

// laneState is what is known of a lane of calls in this process.
type laneState struct {
	taken, late    int
	answered, slow bool // whether a call was ever over within promptly, and whether the last one was not
}

func (l *laneState) bound() int {
	if l.answered && !l.slow {
		return laneCalls
	}
	return 1
}

func newShares() *shares { return &shares{stores: map[shareOf]*share{}} }

func (s *shares) of(p pace, store string) *share {
	of := shareOf{p, store}
	if s.stores[of] == nil {
		s.stores[of] = &share{lanes: map[string]*laneState{}, freed: make(chan struct{})}
	}
	return s.stores[of]
}

// take takes one of the workers of a pace, of which there are at, for a job of a lane. Where
// the lane may have none, rest is how long its job stands back.
func (s *shares) take(ctx context.Context, p pace, at int, l lane) (done func(), rest time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, shareWait)
	defer cancel()
	for {
		done, freed, rest := s.try(p, at, l)
		if freed == nil {
			return done, rest
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, shareRest
		}
	}
}

// favour takes so many off what lanes of calls have waiting, a JSON object of readySQL, that
// answer promptly: what comes next for them is not worth another look at the outbox.
func (s *shares) favour(has string, so int) (string, error) {
	waiting := map[string]int{}
	if err := json.Unmarshal([]byte(has), &waiting); err != nil {
		return "", fmt.Errorf("read what waits: %w", err)
	}
	s.mu.Lock()
	for of, share := range s.stores {
		for name, state := range share.lanes {
			if state.bound() > 1 {
				waiting[of.store+"/"+name] -= so
			}
		}
	}
	s.mu.Unlock()
	raw, err := json.Marshal(waiting)
	return string(raw), err
}

// try is take without waiting; freed is what to wait for where that may help.
func (s *shares) try(p pace, at int, l lane) (done func(), freed <-chan struct{}, rest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	share := s.of(p, l.store)
	state := share.lanes[l.name]
	if p == calls && state == nil {
		state = &laneState{}
		share.lanes[l.name] = state
	}
	switch {
	case state != nil && state.slow && (state.taken >= state.bound() || s.late >= at/2):
		return nil, nil, slowRest
	case state != nil && state.taken >= state.bound(), share.taken >= max(1, at/2):
		return nil, share.freed, 0
	}
	share.taken++
	ended := func() {}
	if state != nil {
		ended = s.begin(state)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		ended()
		share.taken--
		close(share.freed)
		share.freed = make(chan struct{})
	}, nil, 0
}

// begin notes that a lane has one more call; ended, that it is over.
func (s *shares) begin(lane *laneState) (ended func()) {
	lane.taken++
	over, late := false, false
	timer := time.AfterFunc(promptly, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if over {
			return
		}
		late, lane.slow = true, true
		lane.late++
		s.late++
	})
	return func() {
		timer.Stop()
		over = true
		lane.taken--
		if late {
			lane.late--
			s.late--
			return
		}
		lane.answered, lane.slow = true, lane.late > 0
	}
}
