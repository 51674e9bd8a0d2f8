package webhooks_test

import (
	"context"
	"encoding/json"
	"flag"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/webhooks"
)

// A history is a dozen transactions, or as many deliveries.
func init() {
	for name, value := range map[string]string{"rapid.checks": "4", "rapid.steps": "8"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
}

// The events of an object are numbered in the order in which it changed, however many change
// it at once, whether or not its former events are kept, and when the clock is set back.
func TestEventsOfAnObjectAreNumberedInOrder(t *testing.T) {
	api, service := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		ctx := api.Platform.Store(t)
		do := func(fn func(context.Context, *postgres.Tx) error) {
			if err := api.Platform.DB.InStore(ctx, fn); err != nil {
				rt.Error(err)
			}
		}
		changes := map[string]int{} // of each object, so far; whoever holds its lock has it
		var mu sync.Mutex
		change := func(objects []string, events int) {
			do(func(ctx context.Context, tx *postgres.Tx) error {
				for _, object := range objects {
					if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext(current_schema || $1))`, object); err != nil {
						return err
					}
					for range events {
						mu.Lock()
						changes[object]++
						journal.Event(ctx, tx, "category.updated", object, map[string]int{"n": changes[object]})
						mu.Unlock()
					}
				}
				return nil
			})
		}
		rt.Repeat(map[string]func(*rapid.T){
			"several at once": func(rt *rapid.T) {
				var all sync.WaitGroup
				for range rapid.IntRange(2, 4).Draw(rt, "writers") {
					objects := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"cat_1", "cat_2", "cat_3"}), 1, 3, rapid.ID).Draw(rt, "objects")
					slices.Sort(objects)
					events := rapid.IntRange(1, 3).Draw(rt, "events")
					all.Go(func() { change(objects, events) })
				}
				all.Wait()
			},
			"the clock goes back": func(rt *rapid.T) {
				do(func(ctx context.Context, tx *postgres.Tx) error {
					_, err := tx.Exec(ctx, `update events set object_sequence = object_sequence + 3600000000`)
					return err
				})
			},
			"": func(rt *rapid.T) {
				var list []webhooks.Event
				do(func(ctx context.Context, tx *postgres.Tx) (err error) {
					list, err = service.Events(ctx, tx, webhooks.Filter{Limit: 1000})
					return err
				})
				slices.SortFunc(list, func(a, b webhooks.Event) int { return int(a.ObjectSequence - b.ObjectSequence) })
				told := map[string]int{}
				for _, e := range list {
					var data struct{ N int }
					if err := json.Unmarshal(e.Data, &data); err != nil || data.N != told[e.ObjectID]+1 {
						rt.Errorf("%s: change %d comes after change %d (%v)", e.ObjectID, data.N, told[e.ObjectID], err)
					}
					told[e.ObjectID] = data.N
				}
			},
		})
	})
}
