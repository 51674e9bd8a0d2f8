// Package tracetest reads, for tests, the traces that a program sends by OTLP over HTTP.
package tracetest

import (
	"compress/gzip"
	"io"
	"net/http"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
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

// Texts are those attributes that are texts, by their names.
func Texts(attributes []*common.KeyValue) map[string]string {
	texts := map[string]string{}
	for _, pair := range attributes {
		texts[pair.GetKey()] = pair.GetValue().GetStringValue()
	}
	return texts
}
