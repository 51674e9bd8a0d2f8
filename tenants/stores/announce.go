package stores

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/tenants"
)

// The kinds of jobs that keep a store's own tables and the control database in step. What
// is done in one is told to the other by a job written in the same transaction.
const (
	// JobAnnounce is written in the control database when a store's state changes; its
	// arguments are an Announcement. Announce does it.
	JobAnnounce = "store.announce"
	// JobMirror is written in a store when its settings change, in case the process ends
	// before it could tell the control database. It has no arguments. Mirror does it.
	JobMirror = "store.mirror"
)

// Announcement tells a store of what was done to it: as an event for its webhooks, and
// in its own audit, where its merchant sees who did it and why.
type Announcement struct {
	StoreID string              `json:"store_id"`
	EventID string              `json:"event_id"`
	AuditID string              `json:"audit_id"`
	Event   string              `json:"event"`
	Action  string              `json:"action"`
	Reason  string              `json:"reason"`
	By      principal.Principal `json:"by"`
	Data    EventData           `json:"data"`
	Before  tenants.Status      `json:"before"`
}

// EventData is the store as events show it, in short.
type EventData struct {
	ID      string         `json:"id"`
	Name    string         `json:"name"`
	Address string         `json:"address"`
	State   tenants.Status `json:"state"`
}

// Announced are the actions of which both the control database and the store's own tables
// have an entry in their audit.
var Announced = []string{actionSuspend, actionResume, actionDelete, actionRestore}

// events are the types of events that tell of the steps of a store's life.
var events = map[string]string{
	actionSuspend: "store.suspended",
	actionResume:  "store.resumed",
	actionDelete:  "store.deleted",
	actionRestore: "store.restored",
}

func announce(ctx context.Context, tx *postgres.Tx, action, reason string, before, after Record) {
	journal.Job(tx, JobAnnounce, Announcement{
		StoreID: after.ID, EventID: ids.New("evt"), AuditID: ids.New("aud"), Event: events[action], Action: action, Reason: reason,
		By: principal.From(ctx), Data: EventData{ID: after.ID, Name: after.Name, Address: after.Address, State: after.Status}, Before: before.Status,
	})
}

const insertAudit = `
insert into audit_entries (id, actor_kind, actor_id, actor, action, object_id, before, after, reason, request_id, ip, session_id, user_agent)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (id) do nothing`

// Announce writes down in a store's own tables what was done to it. It can be repeated. A
// store that is gone is told nothing.
func (s *Service) Announce(ctx context.Context, a Announcement) error {
	rec, err := s.Get(ctx, a.StoreID)
	if err != nil {
		if isMissing(err) {
			return nil
		}
		return fmt.Errorf("announce %s to store %s: %w", a.Event, a.StoreID, err)
	}
	err = s.db.InStore(postgres.WithStore(ctx, rec.live), func(ctx context.Context, tx *postgres.Tx) error {
		return a.write(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("announce %s to store %s: %w", a.Event, a.StoreID, err)
	}
	return nil
}

func (a Announcement) write(ctx context.Context, tx *postgres.Tx) error {
	data, err := json.Marshal(a.Data)
	if err != nil {
		return err
	}
	before, _ := json.Marshal(map[string]any{"status": a.Before})
	after, _ := json.Marshal(map[string]any{"status": a.Data.State})
	_, err = tx.Exec(ctx, insertAudit, a.AuditID, string(a.By.Kind), a.By.ID, a.By.Label, a.Action, a.StoreID,
		string(before), string(after), a.Reason, a.By.RequestID, a.By.IP, a.By.SessionID, a.By.UserAgent)
	if err != nil {
		return err
	}
	return Tell(ctx, tx, journal.Recorded{
		ID: a.EventID, Type: a.Event, ObjectID: a.StoreID, Data: data, RequestID: a.By.RequestID, CreatedAt: clock.Now(),
	})
}
