// Package logs is about what becomes of log lines: how they are rotated, how rsyslog ships them to
// Elasticsearch, and how they are found there. The configuration lies beside this file.
package logs

//go:generate go run ./generate

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/stoacommerce/stoa/observability/alerts"
)

//go:embed searches.yaml
var searches []byte

// Searches are the saved searches: queries of Kibana's language by alert.
func Searches() (map[string]string, error) {
	var list map[string]string
	if err := yaml.Unmarshal(searches, &list); err != nil {
		return nil, fmt.Errorf("read searches.yaml: %w", err)
	}
	return list, nil
}

// Kibana are the saved searches, and the data view that they search, as Kibana imports them
// (Stack Management, Saved Objects).
func Kibana() ([]byte, error) {
	list, err := Searches()
	if err != nil {
		return nil, err
	}
	const view = "stoa-logs"
	type object = map[string]any
	objects := []object{{"type": "index-pattern", "id": view, "attributes": object{"title": "logs-stoa-*", "name": "Stoa", "timeFieldName": "@timestamp"}, "references": []any{}}}
	for _, alert := range slices.Sorted(maps.Keys(list)) {
		source, err := json.Marshal(object{
			"query": object{"language": "kuery", "query": list[alert]}, "filter": []any{}, "indexRefName": "kibanaSavedObjectMeta.searchSourceJSON.index",
		})
		if err != nil {
			return nil, fmt.Errorf("search of %s: %w", alert, err)
		}
		objects = append(objects, object{
			"type": "search", "id": "stoa-" + alert,
			"attributes": object{
				"title": "Runbook: " + alert, "description": "docs/runbooks/" + alerts.Runbook(alert), "sort": [][]string{{"@timestamp", "desc"}},
				"columns":               []string{"service", "level", "msg", "status", "operation", "store", "error", "request_id"},
				"kibanaSavedObjectMeta": object{"searchSourceJSON": string(source)},
			},
			"references": []object{{"type": "index-pattern", "id": view, "name": "kibanaSavedObjectMeta.searchSourceJSON.index"}},
		})
	}
	var lines []byte
	for _, o := range objects {
		line, err := json.Marshal(o)
		if err != nil {
			return nil, fmt.Errorf("saved object: %w", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	return lines, nil
}
