// Package tracetest reads, for tests, the traces that a program sends by OTLP over HTTP.
package tracetest

import (
	"compress/gzip"
	"io"
	"net/http"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Read gives what an exporter's request holds; its error says why that cannot be read.
func Read(request *http.Request) (*collector.ExportTraceServiceRequest, error) {
	unzipped, err := gzip.NewReader(request.Body)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(unzipped)
	if err != nil {
		return nil, err
	}
	export := &collector.ExportTraceServiceRequest{}
	return export, proto.Unmarshal(body, export)
}
