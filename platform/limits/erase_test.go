package limits

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/stoacommerce/stoa/platform/redis/redistest"
)

// TestErase leaves nothing of one store, and all of another.
func TestErase(t *testing.T) {
	clock := clockAt(noon)
	client := redistest.Client(t)
	l := newLimiter(client, Hooks{}, quiet, clock.now)
	for range 2 { // of yesterday, and of today
		for _, store := range []string{"sto_gone", "sto_stays"} {
			for i := range 3 {
				_, err := l.Take(t.Context(), Request{StoreID: store, Policies: []Policy{
					{Name: "key", Subject: "acc_1" + store, Limit: 2, Window: time.Minute},
					{Name: "store-day", Subject: store, Limit: 100, Window: 24 * time.Hour},
				}})
				if err != nil {
					t.Fatal(i, err)
				}
			}
		}
		clock.forward(24 * time.Hour)
	}
	// What Redis holds, with the fields of hashes.
	names := func(store string) (found []string) {
		err := client.Patient(t.Context(), func(ctx context.Context, rdb *goredis.Client) error {
			keys, err := rdb.Keys(ctx, client.Key("*")).Result()
			if err != nil {
				return err
			}
			for _, key := range keys {
				if strings.Contains(key, ":usage:") || strings.Contains(key, "usage:") {
					fields, err := rdb.HKeys(ctx, key).Result()
					if err != nil {
						return err
					}
					found = append(found, fields...)
				}
				found = append(found, key)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(found, func(name string) bool { return !strings.Contains(name, store) })
	}
	before := len(names("sto_stays"))
	if before == 0 || len(names("sto_gone")) != before {
		t.Fatalf("of one store %v, of the other %v", names("sto_gone"), names("sto_stays"))
	}
	for range 2 {
		if err := l.Erase(t.Context(), "sto_gone"); err != nil {
			t.Fatal(err)
		}
	}
	if left := names("sto_gone"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if after := len(names("sto_stays")); after != before {
		t.Errorf("of the other store %d of %d are left", after, before)
	}
}
