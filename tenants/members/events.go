package members

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// JobAnnounce is written in the control database when a store's staff changes; its
// arguments are an Announcement. Announce does it.
const JobAnnounce = "staff.announce"

// Announcement tells a store of a change of its staff, as an event for its webhooks.
type Announcement struct {
	StoreID string           `json:"store_id"`
	Event   journal.Recorded `json:"event"`
}

// EventData is what events tell of a member of the staff, or of somebody invited.
type EventData struct {
	AccountID *string `json:"account_id"`
	Email     string  `json:"email"`
	Role      string  `json:"role"`
	RoleID    *string `json:"role_id"`
}

func (d EventData) as(a Assignment) EventData {
	d.Role = a.Role
	if a.RoleID != "" {
		d.RoleID = &a.RoleID
	}
	return d
}

// announce has the store told of an event once tx is committed.
func announce(ctx context.Context, tx *postgres.Tx, storeID, event, objectID string, data any) {
	raw, _ := json.Marshal(data) // texts always marshal
	journal.Job(tx, JobAnnounce, Announcement{StoreID: storeID, Event: journal.Recorded{
		ID: ids.New("evt"), Type: event, ObjectID: objectID, Data: raw, RequestID: principal.From(ctx).RequestID, CreatedAt: clock.Now(),
	}})
}

// Announce writes an event down in the store's own tables. It can be repeated. A store
// that is gone is told nothing.
func (s *Service) Announce(ctx context.Context, a Announcement) error {
	store, err := s.config.Stores.ByID(ctx, a.StoreID, principal.Live)
	if problem.Is(err, "not_found") {
		return nil
	}
	if err == nil {
		err = s.db.InStore(postgres.WithStore(ctx, store.Ref), func(ctx context.Context, tx *postgres.Tx) error {
			return stores.Tell(ctx, tx, a.Event)
		})
	}
	if err != nil {
		return fmt.Errorf("announce %s to store %s: %w", a.Event.Type, a.StoreID, err)
	}
	return nil
}

// Register has the workers tell stores of changes of their staff.
func (s *Service) Register(w *jobs.Workers) {
	w.Handle(JobAnnounce, jobs.With(s.Announce))
}
