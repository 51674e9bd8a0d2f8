package limits

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/redis"
)

const (
	// usageKept is how long Redis keeps a day's usage, for processes to come.
	usageKept = 3 * 24 * time.Hour
	// refusedMark begins the field of refused requests in a day's hash.
	refusedMark = "!"
	dateForm    = "2006-01-02"
)

// Count is how many requests one process has counted for a store on a day (UTC), since
// the process began. It only grows. So it is written down idempotently, as the greater
// of what stands and what comes, in a row for (store, day, generation); a store's day is
// the sum of its rows.
type Count struct {
	StoreID    string
	Day        string // 2006-01-02
	Generation string // of the process that counted, new with each start
	Requests   int64  // all that named the store
	Refused    int64  // those of them that a limit refused
}

// Usage counts requests by store and day. Each process counts in itself, and each
// request carries the process' count to Redis in the limiter's own round trip, before it
// is answered. So what is lost is:
//
//   - when a process is killed: nothing; Redis has its counts, and the others write them down;
//   - when Redis is wiped or away: nothing; the processes have them, and write them down;
//   - when both happen: what the process had not yet written down. That is bounded by the
//     pause between two writings.
//
// A count is never doubled, not even by a script that Redis runs after its caller gave up:
// what is sent is not "one more" but "so many in all".
type Usage struct {
	client     *redis.Client
	generation string
	now        func() time.Time

	own sync.Map // usageKey → *usageCounter

	mu      sync.Mutex
	written map[writtenKey]Count // what was last acknowledged
}

type usageKey struct {
	storeID string
	day     int64 // since 1970
}

type writtenKey struct{ storeID, day, generation string }

type usageCounter struct {
	requests, refused atomic.Int64
	day, field        string
}

// usageNote is what a request carries to Redis.
type usageNote struct {
	counter           *usageCounter
	day, field        string
	requests, refused int64
}

func newUsage(client *redis.Client, now func() time.Time) *Usage {
	return &Usage{client: client, generation: rand.Text(), now: now, written: map[writtenKey]Count{}}
}

// note counts a request for a store; nil when there is none.
func (u *Usage) note(storeID string, now time.Time) *usageNote {
	if storeID == "" {
		return nil
	}
	key := usageKey{storeID, now.Unix() / 86400}
	found, ok := u.own.Load(key)
	if !ok {
		found, _ = u.own.LoadOrStore(key, &usageCounter{day: now.UTC().Format(dateForm), field: u.generation + " " + storeID})
	}
	c := found.(*usageCounter)
	return &usageNote{counter: c, day: c.day, field: c.field, requests: c.requests.Add(1), refused: c.refused.Load()}
}

// refuse notes that the request was refused. Redis learns it with the store's next one.
func (n *usageNote) refuse() {
	if n != nil {
		n.counter.refused.Add(1)
	}
}

// Own lists this process' counts that have grown since they were acknowledged.
func (u *Usage) Own() []Count {
	today := u.now().Unix() / 86400
	var counts []Count
	u.own.Range(func(k, v any) bool {
		key, c := k.(usageKey), v.(*usageCounter)
		// Refused first: it must not be seen to exceed the requests it is part of.
		refused := c.refused.Load()
		count := Count{key.storeID, c.day, u.generation, c.requests.Load(), refused}
		switch {
		case u.grown(count):
			counts = append(counts, count)
		case key.day < today-1:
			u.own.Delete(key) // written down, and no request is that old
		}
		return true
	})
	return counts
}

// Others lists, from Redis, the counts of all other processes that have grown since this
// one acknowledged them: those of the dead, which nobody else writes down, and of the
// living, which does no harm.
func (u *Usage) Others(ctx context.Context) ([]Count, error) {
	now := u.now()
	var counts []Count
	for back := time.Duration(0); back <= usageKept; back += 24 * time.Hour {
		day := now.Add(-back).UTC().Format(dateForm)
		found, err := u.read(ctx, day)
		if err != nil {
			return nil, fmt.Errorf("read usage of %s: %w", day, err)
		}
		for _, c := range found {
			if c.Generation != u.generation && u.grown(*c) {
				counts = append(counts, *c)
			}
		}
	}
	return counts, nil
}

// read is a day's usage as Redis has it.
func (u *Usage) read(ctx context.Context, day string) (map[string]*Count, error) {
	counts := map[string]*Count{}
	var cursor uint64
	for {
		var page []string
		err := u.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) (err error) {
			page, cursor, err = rdb.HScan(ctx, u.client.Key("usage", day), cursor, "", 1000).Result()
			return err
		})
		if err != nil {
			return nil, err
		}
		for i := 0; i+1 < len(page); i += 2 {
			field, refused := strings.CutPrefix(page[i], refusedMark)
			generation, storeID, ok := strings.Cut(field, " ")
			value, err := strconv.ParseInt(page[i+1], 10, 64)
			if !ok || err != nil {
				return nil, fmt.Errorf("field %q holds %q", page[i], page[i+1])
			}
			c := counts[field]
			if c == nil {
				c = &Count{StoreID: storeID, Day: day, Generation: generation}
				counts[field] = c
			}
			if refused {
				c.Refused = value
			} else {
				c.Requests = value
			}
		}
		if cursor == 0 {
			return counts, nil
		}
	}
}

// Acknowledge says that counts are written down, so that they are not listed again
// until they have grown.
func (u *Usage) Acknowledge(counts []Count) {
	oldest := u.now().Add(-usageKept - 24*time.Hour).UTC().Format(dateForm)
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range counts {
		u.written[writtenKey{c.StoreID, c.Day, c.Generation}] = c
	}
	for key := range u.written {
		if key.day < oldest {
			delete(u.written, key)
		}
	}
}

// grown says whether c is more than was acknowledged.
func (u *Usage) grown(c Count) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	last := u.written[writtenKey{c.StoreID, c.Day, c.Generation}]
	return c.Requests > last.Requests || c.Refused > last.Refused
}
