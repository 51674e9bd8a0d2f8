package analytics

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// Step is how far a visitor came. Who comes to a cart, a checkout or an order has come to all
// before it but a product's page, for which there are ways around.
type Step int

// The steps, as analytics_visits has them.
const (
	Visited Step = iota
	ViewedProduct
	AddedToCart
	ReachedCheckout
	Completed

	stepCount = iota
)

// passed are the steps that are come by on the way.
func (s Step) passed() []Step {
	steps := []Step{Visited}
	for on := AddedToCart; on <= s; on++ {
		steps = append(steps, on)
	}
	if s == ViewedProduct {
		steps = append(steps, s)
	}
	return steps
}

// mostSeen bounds how many visitors of a store a process remembers until they are counted, and
// so what a flood can cost. mostStores bounds the stores.
const (
	mostSeen   = 50_000
	mostStores = 10_000
)

// seen is a visitor, for the seconds until they are counted.
type seen struct {
	address, agent string
	step           Step
}

// Visits counts visitors by store and day, and by how far they came. A visitor is an address of the
// network and a browser's name, kept in memory until the next Flush and never written: what is
// counted are digests with a salt of the store's that is drawn for the day and deleted after it, and
// of these only a sketch is kept, which tells how many there were and nobody's. Nothing is put into
// browsers, so that nobody needs to be asked.
type Visits struct {
	DB  *postgres.DB
	Log *slog.Logger

	mu   sync.Mutex
	seen map[postgres.StoreRef]map[seen]bool
}

// Saw counts a visitor. It waits for nothing.
func (v *Visits) Saw(store postgres.StoreRef, step Step, address, agent string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	of := v.seen[store]
	if of == nil {
		if len(v.seen) >= mostStores {
			return
		}
		if v.seen == nil {
			v.seen = map[postgres.StoreRef]map[seen]bool{}
		}
		of = map[seen]bool{}
		v.seen[store] = of
	}
	if len(of) < mostSeen {
		of[seen{address, agent, step}] = true
	}
}

// robots are words in the names of programs that are no shoppers.
var robots = []string{"bot", "crawl", "spider", "slurp", "preview", "monitor", "lighthouse", "headless"}

func robot(agent string) bool {
	agent = strings.ToLower(agent)
	for _, word := range robots {
		if strings.Contains(agent, word) {
			return true
		}
	}
	return false
}

// Flush writes down what was counted since the last. What cannot be written is not counted.
func (v *Visits) Flush(ctx context.Context) {
	v.mu.Lock()
	all := v.seen
	v.seen = nil
	v.mu.Unlock()
	for store, of := range all {
		if err := v.count(postgres.WithStore(ctx, store), of); err != nil && ctx.Err() == nil {
			v.Log.WarnContext(ctx, "visits are not counted", "store", store.ID, "visitors", len(of), "error", err)
		}
	}
}

const (
	// todaySQL holds the store's present day, with a salt of its own.
	todaySQL = `
insert into analytics_visits as t (day, salt, visitors)
select (now() at time zone s.time_zone)::date, $1, array_fill(0::bigint, array[$2::int]) from settings s where s.id = 1
on conflict (day) do update set salt = coalesce(t.salt, excluded.salt)
returning day, salt, coalesce(sketches, '{}'), visitors, xmax = 0`
	countSQL = `update analytics_visits set sketches = $2, visitors = $3 where day = $1`
	// forgetSQL leaves the numbers alone of days that are over everywhere.
	forgetSQL = `update analytics_visits set salt = null, sketches = null where salt is not null and day < $1::date - 1`
)

func (v *Visits) count(ctx context.Context, of map[seen]bool) error {
	err := v.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var day time.Time
		var salt []byte
		var kept [][]byte
		var visitors []int64
		var fresh bool
		drawn := make([]byte, 32)
		rand.Read(drawn) // never fails
		if err := tx.QueryRow(ctx, todaySQL, drawn, stepCount).Scan(&day, &salt, &kept, &visitors, &fresh); err != nil {
			return err
		}
		if fresh {
			if _, err := tx.Exec(ctx, forgetSQL, day); err != nil {
				return err
			}
		}
		sketches := make([]sketch, stepCount)
		for i := range sketches {
			sketches[i] = make(sketch, registers)
			if i < len(kept) {
				sketches[i].merge(kept[i])
			}
		}
		if !show(sketches, salt, of) {
			return nil
		}
		kept = kept[:0]
		for i, k := range sketches {
			kept = append(kept, k)
			visitors[i] = max(visitors[i], k.count())
		}
		_, err := tx.Exec(ctx, countSQL, day, kept, visitors)
		return err
	})
	if err != nil {
		return fmt.Errorf("count visits: %w", err)
	}
	return nil
}

// show shows sketches who came, and says whether they have changed.
func show(sketches []sketch, salt []byte, of map[seen]bool) (changed bool) {
	for who := range of {
		if robot(who.agent) {
			continue
		}
		mac := hmac.New(sha256.New, salt)
		mac.Write([]byte(who.address + "\x00" + who.agent))
		digest := binary.BigEndian.Uint64(mac.Sum(nil))
		for _, step := range who.step.passed() {
			changed = sketches[step].add(digest) || changed
		}
	}
	return changed
}

const visitsSQL = `
select date_trunc($3, v.day::timestamp)::date, n.step, sum(n.visitors)::bigint from analytics_visits v cross join unnest(v.visitors) with ordinality n(visitors, step)
where v.day between $1::date and $2::date group by 1, 2`

// Conversion is the report of how far visitors came, by interval. A visitor is counted once a day.
func (s *Service) Conversion(ctx context.Context, ask Ask) (*Report, error) {
	ask.Currency = ""
	var v view
	var parts [2]*Part
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if v, err = open(ctx, tx, ask); err != nil {
			return err
		}
		for i, of := range []*span{&v.now, v.before} {
			if of == nil {
				continue
			}
			found, err := visitors(ctx, tx, v, *of)
			if err != nil {
				return err
			}
			part, all := of.part(), [stepCount]int64{}
			for _, interval := range of.intervals(v.Interval) {
				n := found[begins(v.Interval, interval.from)]
				part.Data = append(part.Data, append(interval.cells(), stepCells(n)...))
				for step := range n {
					all[step] += n[step]
				}
			}
			part.Totals, parts[i] = stepCells(all), part
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r := v.report(parts, append(span{}.cells(), stepCells([stepCount]int64{})...))
	r.Currency = nil
	return r, nil
}

func visitors(ctx context.Context, tx *postgres.Tx, v view, s span) (map[time.Time][stepCount]int64, error) {
	rows, err := tx.Query(ctx, visitsSQL, date(s.from), date(s.to), v.Interval)
	if err != nil {
		return nil, fmt.Errorf("read visits: %w", err)
	}
	defer rows.Close()
	found := map[time.Time][stepCount]int64{}
	for rows.Next() {
		var day time.Time
		var step, n int64
		if err := rows.Scan(&day, &step, &n); err != nil {
			return nil, fmt.Errorf("read visits: %w", err)
		}
		day = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
		of := found[day]
		of[step-1] = n
		found[day] = of
	}
	return found, rows.Err()
}

func stepCells(n [stepCount]int64) row {
	return row{
		{"visits", n[Visited]}, {"product_views", n[ViewedProduct]}, {"added_to_cart", n[AddedToCart]}, {"reached_checkout", n[ReachedCheckout]}, {"completed", n[Completed]},
		{"added_to_cart_rate", share(n[AddedToCart], n[Visited])}, {"reached_checkout_rate", share(n[ReachedCheckout], n[Visited])},
		{"conversion_rate", share(n[Completed], n[Visited])},
	}
}
