package requestlog_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/migrations/testdb"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
	"github.com/stoacommerce/stoa/tenants/requestlog"
)

type recorder struct {
	*requestlog.Recorder
	written, full, failed atomic.Int64
}

func newRecorder(t *testing.T, p *testdb.Platform) *recorder {
	t.Helper()
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, "platform")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	r.Recorder = requestlog.New(requestlog.Config{
		DB: p.DB, Sealer: p.Ring, Days: func(plan string) int { return map[string]int{"free": 3, "scale": 30}[plan] },
		People: &requestlog.People{Pepper: pepper}, Written: func(n int) { r.written.Add(int64(n)) },
		Dropped: func(why string, n int) {
			map[string]*atomic.Int64{requestlog.Full: &r.full, requestlog.Failed: &r.failed}[why].Add(int64(n))
		},
		Log: slog.New(slog.DiscardHandler),
	})
	return r
}

func call(ctx context.Context, plan string, content requestlog.Content) requestlog.Call {
	store, _ := postgres.StoreFrom(ctx)
	content.Request.State, content.Response.State = requestlog.Whole, requestlog.None
	return requestlog.Call{
		ID: ids.New("req"), Store: store, Plan: plan, At: clock.Now(), Took: time.Millisecond, Operation: "createProduct", Method: "POST", Status: 201,
		Size: 1000, Content: func() requestlog.Content { return content },
	}
}

// TestCallsAreWrittenWhenTheProgramEnds has calls come until the end.
func TestCallsAreWrittenWhenTheProgramEnds(t *testing.T) {
	p := testdb.Open(t)
	r, store := newRecorder(t, p), p.Store(t)
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	first := call(store, "free", requestlog.Content{Path: "/v1/products", Request: requestlog.Body{JSON: []byte(`{"a":1}`)}})
	for range 2500 {
		next := first
		next.ID = ids.New("req")
		r.Record(next)
	}
	r.Record(first)
	end()
	<-ended
	if written, lost := r.written.Load(), r.full.Load()+r.failed.Load(); written != 2501 || lost != 0 {
		t.Fatalf("%d written, %d lost", written, lost)
	}
	log := &requestlog.Log{DB: p.DB, Sealer: p.Ring}
	kept, err := log.Get(store, first.ID)
	if err != nil || string(kept.Request) != `{"a":1}` || kept.Response != nil || kept.Operation != "createProduct" {
		t.Errorf("kept: %+v %v", kept, err)
	}
	if _, err := log.Get(p.Store(t), first.ID); !problem.Is(err, "not_found") {
		t.Errorf("another store: %v", err)
	}
	if _, err := log.Get(t.Context(), first.ID); err == nil {
		t.Error("there is a log without a store")
	}
}

// TestNothingWaitsForTheRequestLog has more come than there is room for, and a cell that is
// down.
func TestNothingWaitsForTheRequestLog(t *testing.T) {
	p := testdb.Open(t)
	r, busy, other := newRecorder(t, p), p.Store(t), p.Store(t)
	loud, quiet := call(busy, "free", requestlog.Content{}), call(other, "free", requestlog.Content{})
	for range 6000 {
		r.Record(loud)
	}
	if r.full.Load() != 1000 {
		t.Errorf("%d calls of the busy store were dropped", r.full.Load())
	}
	r.Record(quiet)
	loud.Size = 64 << 20
	r.Record(loud)
	if r.full.Load() != 1001 {
		t.Errorf("%d calls were dropped, when another store had one and one was too large", r.full.Load())
	}
	// The same ID twice is refused by the database: the batch is lost, and counted.
	r.Flush(t.Context())
	if r.failed.Load() == 0 || r.written.Load()+r.failed.Load() != 5001 {
		t.Errorf("%d failed, %d written", r.failed.Load(), r.written.Load())
	}
	away := call(other, "free", requestlog.Content{})
	away.Store.Cell = "nowhere"
	r.Record(away)
	before := r.failed.Load()
	r.Flush(t.Context())
	if r.failed.Load() != before+1 {
		t.Error("a call of a cell that is down is not counted")
	}
}

// TestWeeksGo has partitions of weeks that are over be dropped, with what lies in them, and
// those to come be made.
func TestWeeksGo(t *testing.T) {
	p := testdb.New(t, "rl"+ids.New("x")[20:], 1)
	t.Cleanup(func() { _ = p.DB.Close() })
	r, store := newRecorder(t, p), p.Store(t)
	old, young := call(store, "free", requestlog.Content{}), call(store, "scale", requestlog.Content{})
	old.At = old.At.AddDate(0, 0, -3) // gone today
	r.Record(old)
	r.Record(young)
	r.Flush(t.Context())
	log := &requestlog.Log{DB: p.DB, Sealer: p.Ring}
	if _, err := log.Get(store, old.ID); !problem.Is(err, "not_found") {
		t.Errorf("what is over is still shown: %v", err)
	}
	partitions := func() (list []string) {
		err := p.DB.InCell(t.Context(), p.Cell, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select array_agg(relname order by relname) from pg_class join pg_inherits on inhrelid = oid where inhparent = 'cell.requests'::regclass`).Scan(&list)
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	before := partitions()
	if len(before) != 7 {
		t.Fatalf("%d weeks: %v", len(before), before)
	}
	// As if time had passed: the last week is not there yet, and one is that is over.
	over := clock.Now().AddDate(0, 0, -14)
	err := p.DB.InCell(t.Context(), p.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `drop table cell.`+before[6]+`; create table cell.requests_20010101 partition of cell.requests for values from ('2001-01-01') to ('`+over.Format(time.DateOnly)+`')`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ancient := call(store, "free", requestlog.Content{})
	ancient.At = ancient.At.AddDate(0, 0, -30)
	r.Record(ancient)
	r.Flush(t.Context())
	if r.failed.Load() != 0 {
		t.Fatal("an old call was not taken")
	}
	for range 2 {
		if err := (&requestlog.Keeper{DB: p.DB}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := partitions(); !slices.Equal(after, before) {
			t.Errorf("the weeks are %v, want %v", after, before)
		}
	}
	if _, err := log.Get(store, young.ID); err != nil {
		t.Errorf("what is young went too: %v", err)
	}
}

// TestPeopleAreFound has calls be found again by those whom they tell of.
func TestPeopleAreFound(t *testing.T) {
	p := testdb.Open(t)
	pepper, err := p.Ring.Pepper(t.Context(), tenants.Peppers{DB: p.DB}, "platform")
	if err != nil {
		t.Fatal(err)
	}
	people := &requestlog.People{Pepper: pepper}
	store, other := postgres.StoreRef{ID: "sto_1"}, postgres.StoreRef{ID: "sto_2"}
	ada, cus, ord := people.Email(store, "ada@example.com"), ids.New("cus"), ids.New("ord")
	if ada != people.Email(store, " ADA@example.com ") || ada == people.Email(other, "ada@example.com") || strings.Contains(ada, "ada") {
		t.Errorf("the name of an address: %s", ada)
	}
	for _, c := range []requestlog.Content{
		{Path: "/v1/customers/" + cus, Query: "email=ada%40example.com", Request: requestlog.Body{JSON: []byte(`{"order":"` + ord + `"}`)}},
		{Path: "/v1/orders/" + ord + "/returns", Request: requestlog.Body{JSON: []byte(`{"note":"write to Ada@Example.com.","x":"` + cus + `"}`)}},
		{Path: "/x", Request: requestlog.Body{JSON: []byte(`["` + cus + `","ada\u0040example.com",{"` + ord + `":1}]`)}},
		{Path: "/x", Response: requestlog.Body{JSON: []byte(`{"url":"https://a.example/?mail=ada@example.com&x=` + ord + `","b":["_","@","@@",` + `"` + cus + `"]}`)}},
	} {
		found := people.In(store, c)
		for _, want := range []string{ada, cus, ord} {
			if !slices.Contains(found, want) {
				t.Errorf("%s is not found in %s %s %s", want, c.Path, c.Request.JSON, c.Response.JSON)
			}
		}
	}
	if found := people.In(store, requestlog.Content{Path: "/v1/products/" + ids.New("prod"), Request: requestlog.Body{JSON: []byte(`{"title":"@ home_","sku":"ord_1"}`)}}); len(found) != 0 {
		t.Errorf("found where nobody is: %v", found)
	}
}

// What a shopper says who is signed in is found by who they are, whatever it is; where that is
// not known, as their call was refused before, it is not kept.
func TestWhatAShopperSaysIsFound(t *testing.T) {
	p := testdb.Open(t)
	r, store := newRecorder(t, p), p.Store(t)
	customer := ids.New("cus")
	for who, want := range map[string]requestlog.State{customer: requestlog.Whole, "": requestlog.Cut} {
		c := call(store, "free", requestlog.Content{Path: "/v1/shop/me/wishlists", SignedIn: true, Customer: who, Request: requestlog.Body{JSON: []byte(`{"nam":"For Ada"}`)}})
		r.Record(c)
		r.Flush(t.Context())
		var state requestlog.State
		var people []string
		err := p.DB.InCell(t.Context(), p.Cell, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, `select request_state, people from cell.requests where id = $1`, c.ID).Scan(&state, &people)
		})
		if err != nil || state != want || slices.Contains(people, customer) != (who != "") {
			t.Errorf("of %q: %s, found by %v (%v)", who, state, people, err)
		}
	}
}
