package requestlog

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/secrets"
)

// What a process holds at most until it is written, of which one store may have a half;
// what is written at once, and how long that may take. What cannot be written is dropped:
// so nothing comes in later than Delay after it was answered.
const (
	maxCalls   = 10_000
	maxBytes   = 32 << 20
	perBatch   = 1000
	flushEvery = 500 * time.Millisecond
	flushTime  = 10 * time.Second

	// Delay is how long a call may take to be seen in the log.
	Delay = flushEvery + flushTime
)

// Why calls are not kept.
const (
	Full   = "full"   // more came than could be written
	Failed = "failed" // the database did not take them
)

// Config is what a recorder works with. All must be set.
type Config struct {
	DB      *postgres.DB
	Sealer  postgres.Sealer
	Days    func(plan string) int // for which the calls of a plan's stores are kept
	People  *People
	Written func(calls int)
	Dropped func(why string, calls int)
	Log     *slog.Logger
}

// Recorder writes calls down.
type Recorder struct {
	Config

	mu       sync.Mutex
	held     []Call
	size     int
	perStore map[int64]int
	full     chan struct{} // asks for a flush before its time
	flushing sync.Mutex    // one at a time
}

// New makes a recorder; Run writes what it is told.
func New(config Config) *Recorder {
	return &Recorder{Config: config, perStore: map[int64]int{}, full: make(chan struct{}, 1)}
}

// Record takes note of a call. It waits for nothing: where there is no room, the call is
// counted and forgotten.
func (r *Recorder) Record(call Call) {
	r.mu.Lock()
	crowded := len(r.held) >= maxCalls || r.size+call.Size > maxBytes || r.perStore[call.Store.Schema] >= maxCalls/2
	if !crowded {
		r.held = append(r.held, call)
		r.size += call.Size
		r.perStore[call.Store.Schema]++
	}
	many := len(r.held) == perBatch
	r.mu.Unlock()
	if crowded {
		r.Dropped(Full, 1)
	}
	if many {
		select {
		case r.full <- struct{}{}:
		default:
		}
	}
}

// Run writes down what comes until ctx ends, and then what is still there.
func (r *Recorder) Run(ctx context.Context) {
	unbroken := context.WithoutCancel(ctx)
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			r.Flush(unbroken)
			return
		case <-ticker.C:
		case <-r.full:
		}
		r.Flush(unbroken)
	}
}

// Flush writes down what there is.
func (r *Recorder) Flush(ctx context.Context) {
	r.flushing.Lock()
	defer r.flushing.Unlock()
	r.mu.Lock()
	calls := r.held
	r.held, r.size, r.perStore = nil, 0, map[int64]int{}
	r.mu.Unlock()
	cells := map[string][]Call{}
	for _, call := range calls {
		cells[call.Store.Cell] = append(cells[call.Store.Cell], call)
	}
	var writing sync.WaitGroup
	for cell, calls := range cells {
		writing.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, flushTime)
			defer cancel()
			for len(calls) > 0 {
				batch := calls[:min(len(calls), perBatch)]
				calls = calls[len(batch):]
				if err := r.write(ctx, cell, batch); err != nil {
					r.Dropped(Failed, len(batch))
					r.Log.WarnContext(ctx, "calls are missing from the request log", "cell", cell, "calls", len(batch), "error", err)
					continue
				}
				r.Written(len(batch))
			}
		})
	}
	writing.Wait()
}

var columns = []string{
	"id", "store", "gone_on", "at", "took_us", "operation", "method", "path", "status", "code", "actor_kind", "actor_id", "actor",
	"api_version", "dry_run", "request_state", "response_state", "people", "sealed",
}

// write writes a batch into a cell.
func (r *Recorder) write(ctx context.Context, cell string, calls []Call) error {
	return r.DB.InCell(ctx, cell, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"cell", "requests"}, columns, pgx.CopyFromSlice(len(calls), func(i int) ([]any, error) {
			return r.row(calls[i])
		}))
		return err
	})
}

func (r *Recorder) row(call Call) ([]any, error) {
	content := call.Content()
	store := postgres.RoleName(call.Store.Cell, call.Store.Schema)
	people := r.People.In(call.Store, content)
	if content.SignedIn && len(people) == 0 && content.Request.State != None {
		content.Request = Body{State: Cut} // it is somebody's, and would not be found again when they are erased
	}
	sealed, err := r.Sealer.Seal(content.encode(), binding(store, call.ID))
	if err != nil {
		return nil, fmt.Errorf("seal call %s: %w", call.ID, err)
	}
	label := call.Actor.Label
	if call.Actor.Kind != principal.Key && call.Actor.Kind != principal.Publishable {
		label = "" // a person's is their e-mail address; the ID says who it was
	}
	gone := call.At.UTC().Truncate(24*time.Hour).AddDate(0, 0, r.Days(call.Plan))
	return []any{
		call.ID, store, gone, call.At, call.Took.Microseconds(), call.Operation, call.Method, content.Path, call.Status, call.Code,
		string(call.Actor.Kind), call.Actor.ID, label, call.APIVersion, call.DryRun,
		string(content.Request.State), string(content.Response.State), people, sealed,
	}, nil
}

func binding(store, id string) string { return secrets.Bind(store, "requests.sealed", id) }

// said is what lies sealed.
type said struct {
	Query    string            `json:"query"`
	Headers  map[string]string `json:"headers"`
	IP       string            `json:"ip"`
	Request  json.RawMessage   `json:"request,omitempty"`
	Response json.RawMessage   `json:"response,omitempty"`
}

// encode writes what is sealed. Bodies are JSON already and are not looked through again.
func (c Content) encode() []byte {
	head, _ := json.Marshal(said{Query: c.Query, Headers: c.Headers, IP: c.IP}) // texts never fail
	for _, body := range []struct {
		name string
		json []byte
	}{{"request", c.Request.JSON}, {"response", c.Response.JSON}} {
		if len(body.json) > 0 {
			head = append(head[:len(head)-1], `,"`+body.name+`":`...)
			head = append(append(head, body.json...), '}')
		}
	}
	return head
}
