package webhooks_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/stoacommerce/stoa/platform/egress"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/webhooks"
)

// moods are what receivers do before they take an event.
var moods = map[string]func(w http.ResponseWriter, r *http.Request){
	"fails": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	"redirects": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	},
	"is busy": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	},
	"resets": func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	},
	"is slow":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"is endless": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway); endless(w, r) },
	"stalls": func(w http.ResponseWriter, r *http.Request) { // in the middle of its headers
		conn, out, _ := w.(http.Hijacker).Hijack()
		defer conn.Close()
		for _, err := out.WriteString("HTTP/1.1 200 OK\r\n"); err == nil && r.Context().Err() == nil; {
			time.Sleep(20 * time.Millisecond)
			if _, err = out.WriteString("X-More: of it\r\n"); err == nil {
				err = out.Flush()
			}
		}
	},
}

func endless(w http.ResponseWriter, r *http.Request) {
	for chunk := strings.Repeat("more ", 1000); r.Context().Err() == nil; {
		if _, err := io.WriteString(w, chunk); err != nil {
			return
		}
	}
}

// moody is a receiver that is in a bad mood, one after the other, for the first attempts of
// each event, and takes it then.
type moody struct {
	*receiver
	moods  []string
	tried  map[string]int
	taken  map[string]int
	strays int // requests to where no event is sent
}

func receiveMoodily(t *testing.T, moodsFirst []string) *moody {
	m := &moody{moods: moodsFirst, tried: map[string]int{}, taken: map[string]int{}}
	m.receiver = receive(t, nil)
	m.receiver.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id := r.Header.Get("webhook-id")
		m.mu.Lock()
		m.got, m.bodies = append(m.got, r), append(m.bodies, body)
		n := m.tried[id]
		m.tried[id]++
		if r.URL.Path != "/" {
			m.strays++
		}
		if n >= len(m.moods) {
			m.taken[id]++
		}
		m.mu.Unlock()
		if n < len(m.moods) {
			moods[m.moods[n]](w, r)
		}
	})
	return m
}

func (m *moody) has(event string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.taken[event] > 0
}

// Whatever receivers do, no event is lost: each comes, signed, to each endpoint that wants
// it, with one attempt more than the receiver turned away; and none waits for the others.
func TestNoEventIsLost(t *testing.T) {
	platform, service, _ := working(t)
	service.Hasten(150*time.Millisecond, 20*time.Millisecond, 30*time.Millisecond, 40*time.Millisecond)
	rapid.Check(t, func(rt *rapid.T) {
		ctx := platform.Store(t)
		var names []string
		for name := range moods {
			names = append(names, name)
		}
		drawn := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom(sorted(names)), 0, 3), 1, 4).Draw(rt, "receivers")
		receivers, ids, secrets := make([]*moody, len(drawn)), make([]string, len(drawn)), make([]string, len(drawn))
		err := platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			for i, moods := range drawn {
				receivers[i] = receiveMoodily(t, moods)
				url := receivers[i].URL + "/"
				e, secret, err := service.Create(ctx, tx, webhooks.Input{URL: &url, Events: []string{"category.*"}})
				if err != nil {
					return err
				}
				ids[i], secrets[i] = e.ID, secret
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
		var events []string
		for range rapid.IntRange(1, 6).Draw(rt, "events") {
			events = append(events, emit(t, platform, ctx, "category.updated"))
		}
		for i, r := range receivers {
			for _, event := range events {
				eventually(t, fmt.Sprintf("%s comes to a receiver that %v", event, r.moods), func() bool { return r.has(event) })
			}
			verifier, err := standardwebhooks.NewWebhook(secrets[i])
			if err != nil {
				rt.Fatal(err)
			}
			r.mu.Lock()
			for n, request := range r.got {
				if err := verifier.Verify(r.bodies[n], request.Header); err != nil {
					rt.Errorf("attempt %d is not signed: %v", n, err)
				}
			}
			if r.strays > 0 {
				rt.Errorf("a redirect was followed %d times", r.strays)
			}
			r.mu.Unlock()
			var list []webhooks.Delivery
			eventually(t, "all is written down", func() bool {
				err := platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
					list, err = service.Deliveries(ctx, tx, ids[i], "delivered", "", "", 100)
					return err
				})
				return err == nil && len(list) == len(events)
			})
			for _, d := range list {
				if len(d.Attempts) != len(r.moods)+1 {
					rt.Errorf("it took %d attempts at a receiver that %v", len(d.Attempts), r.moods)
				}
			}
		}
	})
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// However many receivers of a store hang, each in one way or another and with events still
// to come, the store's other endpoint gets its own at once, and so does another store.
func TestDeadReceiversDelayNobody(t *testing.T) {
	platform, service, ctx := working(t)
	service.Hasten(50*time.Second, time.Hour)
	hang := receiveMoodily(t, nil)
	over := make(chan struct{})
	hang.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hang.mu.Lock()
		hang.tried[r.URL.Path]++
		hang.mu.Unlock()
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			<-over
			cancel()
		}()
		ways := []string{"is slow", "stalls"}
		moods[ways[len(r.URL.Path)%2]](w, r.WithContext(ctx))
	})
	t.Cleanup(func() { close(over) })
	alive, elsewhere := receive(t, ok), receive(t, ok)
	other := platform.Store(t)
	listen := func(ctx context.Context, url, filter string) {
		err := platform.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, _, err := service.Create(ctx, tx, webhooks.Input{URL: &url, Events: []string{filter}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range webhooks.MaxEndpoints - 1 {
		listen(ctx, fmt.Sprintf("%s/%d", hang.URL, i), "category.updated")
	}
	listen(ctx, alive.URL, "category.created")
	listen(other, elsewhere.URL, "category.*")
	for range 2 {
		emit(t, platform, ctx, "category.updated")
	}
	asked := func() (endpoints, times int) {
		hang.mu.Lock()
		defer hang.mu.Unlock()
		for _, n := range hang.tried {
			times += n
		}
		return len(hang.tried), times
	}
	eventually(t, "all that hang are asked", func() bool { n, _ := asked(); return n == webhooks.MaxEndpoints-1 })
	began := time.Now()
	for range 5 {
		emit(t, platform, ctx, "category.created")
		emit(t, platform, other, "category.created")
	}
	eventually(t, "the others get theirs", func() bool { return alive.count() == 5 && elsewhere.count() == 5 })
	if took := time.Since(began); took > 10*time.Second { // a tenth of it is to be expected
		t.Errorf("the others waited for %s", took)
	}
	if endpoints, times := asked(); times != endpoints {
		t.Errorf("%d endpoints that do not answer were asked %d times at once", endpoints, times)
	}
}

// What an address stands for is judged when it is dialled, whatever it was when the endpoint
// was made.
func TestAnAddressIsRefusedWhenItIsDialled(t *testing.T) {
	api, _ := open(t)
	ctx := api.Platform.Store(t)
	key := api.Staff(ctx)
	r := receive(t, ok)
	endpoint, _ := create(t, api, key, strings.Replace(r.URL, "127.0.0.1", "localhost", 1), "category.created")
	event := emit(t, api.Platform, ctx, "category.created")
	strict := webhooks.New(api.Platform.Ring, egress.Options{AllowPlainHTTP: true})
	a, made := attempt(t, api, strict, ctx, key, endpoint, event, 1)
	if !made || !a.Blocked || a.Status != 0 || r.count() != 0 {
		t.Errorf("attempt: %+v, asked %d times", a, r.count())
	}
}
