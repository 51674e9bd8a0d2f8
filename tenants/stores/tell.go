package stores

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// JobTell is written in the control database when something of a store's that is kept there
// changes, such as its staff; its arguments are News. TellNews does it.
const JobTell = "store.tell"

// News tells a store of what happened to it in the control database, as an event for its
// webhooks.
type News struct {
	StoreID string           `json:"store_id"`
	Event   journal.Recorded `json:"event"`
}

// TellSoon has a store told of an event once tx, on the control database, is committed.
func TellSoon(ctx context.Context, tx *postgres.Tx, storeID, event, objectID string, data any) {
	raw, _ := json.Marshal(data) // what events tell always marshals
	journal.Job(tx, JobTell, News{StoreID: storeID, Event: journal.Recorded{
		ID: ids.New("evt"), Type: event, ObjectID: objectID, Data: raw, RequestID: principal.From(ctx).RequestID, CreatedAt: clock.Now(),
	}})
}

// TellNews writes an event down in a store's own tables. It can be repeated. A store that is
// gone is told nothing.
func (s *Service) TellNews(ctx context.Context, n News) error {
	store, err := s.ByID(ctx, n.StoreID, principal.Live)
	if isMissing(err) {
		return nil
	}
	if err == nil {
		err = s.db.InStore(postgres.WithStore(ctx, store.Ref), func(ctx context.Context, tx *postgres.Tx) error {
			return Tell(ctx, tx, n.Event)
		})
	}
	if err != nil {
		return fmt.Errorf("tell %s to store %s: %w", n.Event.Type, n.StoreID, err)
	}
	return nil
}

// insertEvent writes an event once, however often it is told.
var insertEvent = `
insert into events (id, type, object_id, object_sequence, data, request_id, created_at) values ($1, $2, $3, ` + journal.Sequence("$3") + `, $4, $5, $6)
on conflict (id) do nothing returning (select count(*) from webhook_endpoints where enabled)`

// Tell writes an event into a store's own tables, once however often it is called: for
// jobs that tell a store what happened to it in the control database.
func Tell(ctx context.Context, tx *postgres.Tx, e journal.Recorded) error {
	var listeners int
	err := tx.QueryRow(ctx, insertEvent, e.ID, e.Type, e.ObjectID, string(e.Data), e.RequestID, e.CreatedAt).Scan(&listeners)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil // told before
	}
	if err != nil {
		return fmt.Errorf("write event %s: %w", e.ID, err)
	}
	if listeners > 0 {
		journal.Job(tx, journal.JobEvent, journal.EventArgs{EventID: e.ID})
	}
	return nil
}
