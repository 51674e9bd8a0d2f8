package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/app"
	"github.com/stoacommerce/stoa/app/apptest"
)

// Two replicas and a Redis that is wiped in between: whatever one of them changes, both show
// within a second (waited for ten times as long), and neither shows another store's, or falls
// back to what was before.
func TestReplicasShowTheSame(t *testing.T) {
	t.Parallel()
	first := apptest.Start(t, nil)
	second := first.Beside(t, app.Build{Version: "test", Commit: "none"})
	replicas := []*apptest.Program{first, second}
	stores := []*merchant{openShop(t, first), openShop(t, first)}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	ids, titles, vendors := make([]string, 2), make([]string, 2), make([]string, 2)
	for i, m := range stores {
		titles[i], vendors[i] = fmt.Sprint("Cup of ", i), fmt.Sprint("Mill ", i)
		ids[i] = m.call(t, "POST", "/v1/products", m.secret, map[string]any{"title": titles[i], "vendor": vendors[i], "status": "active"}, http.StatusCreated).text("id")
	}
	paths := []string{"/v1/shop/products", "/v1/shop/products/", "/v1/shop/facets", "/v1/shop/search?q=cup", "/v1/shop/suggestions?q=cu", "/v1/shop"}
	for step := range 14 {
		i, at := r.IntN(2), r.IntN(2)
		switch r.IntN(4) {
		case 0:
			first.WipeRedis()
		default:
			titles[i], vendors[i] = fmt.Sprint("Cup of ", i, " after ", step), fmt.Sprint("Mill ", i, " after ", step)
			askReplica(t, replicas[at], http.MethodPatch, "/v1/products/"+ids[i], stores[i].secret, map[string]any{"title": titles[i], "vendor": vendors[i]}, http.StatusOK)
		}
		for range 3 {
			of, from, path := r.IntN(2), r.IntN(2), paths[r.IntN(len(paths))]
			want := titles[of]
			switch path {
			case "/v1/shop/products/":
				path += ids[of]
			case "/v1/shop/facets":
				want = vendors[of]
			case "/v1/shop":
				want = ""
			}
			var got string
			apptest.Eventually(t, 10*time.Second, fmt.Sprintf("%s shows %q, not %s", path, want, got), func() bool {
				got = askReplica(t, replicas[from], http.MethodGet, path, stores[of].publishable, nil, http.StatusOK)
				if strings.Contains(got, titles[1-of]) || strings.Contains(got, vendors[1-of]) {
					t.Fatalf("%s of one store shows another's: %s", path, got)
				}
				return strings.Contains(got, `"`+want+`"`) || want == ""
			})
		}
	}
}

// askReplica makes a request of one of the replicas, and gives the body of its answer.
func askReplica(t *testing.T, p *apptest.Program, method, path, key string, body any, want int) string {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	answer, err := p.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		t.Fatalf("%s %s answered %d (%v), want %d: %s", method, path, answer.StatusCode, err, want, text)
	}
	return string(text)
}
