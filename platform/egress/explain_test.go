package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestExplainNamesTheFaultAndNothingInside(t *testing.T) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	plain, _ := server(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	dev := Options{AllowPlainHTTP: true, AllowPrivate: true, Timeout: time.Second}
	nameless := dev
	nameless.Resolver = dns(t)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()

	_, stopped := Fetch(canceled, NewClient(dev), plain.URL)
	for want, err := range map[string]error{
		"internet":    get(t, Options{}, "https://127.0.0.1/"),
		"resolve":     get(t, nameless, "https://nowhere.example.com/"),
		"certificate": get(t, dev, secure.URL),
		"HTTPS":       get(t, dev, strings.Replace(plain.URL, "http:", "https:", 1)),
		"accept":      get(t, dev, "http://"+closed.Addr().String()),
		"time":        get(t, dev, plain.URL+"/slow"),
		"broke":       get(t, dev, plain.URL),
		"interrupted": stopped,
		"error":       ErrStatus,
		"failed":      errors.New("10.0.0.1 went away"),
	} {
		if got := Explain(err); !strings.Contains(got, want) || strings.Contains(got, "127.0.0.1") || strings.Contains(got, "10.0.0.1") {
			t.Errorf("%v: %q, want a sentence with %q", err, got, want)
		}
	}
	if Explain(nil) != "" {
		t.Error("nothing failed, yet it is explained")
	}
}
