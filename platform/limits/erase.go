package limits

import (
	"context"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// erasePage is how many names one round trip looks at.
const erasePage = 1000

// Erase removes everything that Redis keeps of a store: its windows and its usage. It
// looks through all names, a page at a time, and is meant for a store's end.
func (l *Limiter) Erase(ctx context.Context, storeID string) error {
	if err := l.usage.erase(ctx, storeID); err != nil {
		return fmt.Errorf("erase the usage of %s: %w", storeID, err)
	}
	client := l.usage.client
	var cursor uint64
	for {
		err := client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) error {
			names, next, err := rdb.Scan(ctx, cursor, client.Key("limit", "*"+storeID+"*"), erasePage).Result()
			if err == nil && len(names) > 0 {
				err = rdb.Unlink(ctx, names...).Err()
			}
			cursor = next
			return err
		})
		if err != nil {
			return fmt.Errorf("erase the limits of %s: %w", storeID, err)
		}
		if cursor == 0 {
			return nil
		}
	}
}

// erase removes a store's fields from the usage of all days that are kept.
func (u *Usage) erase(ctx context.Context, storeID string) error {
	for back := time.Duration(0); back <= usageKept; back += 24 * time.Hour {
		key := u.client.Key("usage", u.now().Add(-back).UTC().Format(dateForm))
		for cursor, first := uint64(0), true; first || cursor != 0; first = false {
			err := u.client.Patient(ctx, func(ctx context.Context, rdb *goredis.Client) error {
				page, next, err := rdb.HScan(ctx, key, cursor, "* "+storeID, erasePage).Result()
				var fields []string
				for i := 0; i+1 < len(page); i += 2 {
					fields = append(fields, page[i])
				}
				if err == nil && len(fields) > 0 {
					err = rdb.HDel(ctx, key, fields...).Err()
				}
				cursor = next
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
