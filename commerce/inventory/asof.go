package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// LevelAsOf is how many of a variant there were at a location.
type LevelAsOf struct {
	LocationID LocationID `json:"location_id"`
	OnHand     int64      `json:"on_hand"`
}

// levelsAsOfSQL sums what came and went of the variant $1 until the instant $2. What is on
// hand is the sum of the movements; what was promised of it is not kept.
const levelsAsOfSQL = `select coalesce(json_agg(json_build_object('location_id', location_id, 'on_hand', on_hand) order by location_id), '[]') from (
	select location_id, sum(quantity)::bigint as on_hand from stock_movements where variant_id = $1 and created_at <= $2 group by location_id) levels`

// LevelsAsOf is what was on hand of a variant at an instant, by location.
func LevelsAsOf(ctx context.Context, db *postgres.DB, id VariantID, at time.Time) ([]LevelAsOf, error) {
	raw, err := db.JSON(ctx, levelsAsOfSQL, string(id), at)
	if err != nil {
		return nil, fmt.Errorf("read the stock of %s as it was: %w", id, err)
	}
	var levels []LevelAsOf
	return levels, json.Unmarshal(raw, &levels)
}
