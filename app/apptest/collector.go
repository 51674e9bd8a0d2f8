package apptest

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/stoacommerce/stoa/observability/tracetest"
)

// Collector takes OpenTelemetry's traces by OTLP over HTTP and remembers them.
type Collector struct {
	URL string

	mu   sync.Mutex
	took []Span
}

// Span is a span as it arrived, its IDs in hexadecimal digits.
type Span struct {
	Trace, ID, Parent string
	Service           string // what it is of
	Name, Kind        string // Kind is SERVER, CLIENT, CONSUMER or INTERNAL
	Attributes        map[string]string
	Text              string // all of it, to look for what should not be there
}

// NewCollector listens until the test ends.
func NewCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if err := c.take(request); err != nil {
			t.Errorf("traces that cannot be read: %v", err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *Collector) take(request *http.Request) error {
	export, err := tracetest.Read(request)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range export.GetResourceSpans() {
		service := tracetest.Texts(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				span := Span{
					Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
					Service: service, Name: s.GetName(), Kind: s.GetKind().String()[len("SPAN_KIND_"):], Attributes: tracetest.Texts(s.GetAttributes()), Text: s.String(),
				}
				c.took = append(c.took, span)
			}
		}
	}
	return nil
}

// Spans are those that have arrived, in no order.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.took)
}
