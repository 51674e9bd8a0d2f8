// Package dashboards holds the Grafana dashboards. Their source is Go, so that what is
// the same for all panels is said once; the JSON that Grafana imports is generated
// beside it and a test keeps the two together.
package dashboards

//go:generate go run ./generate

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Runbooks is where the panels' links lead.
const Runbooks = "https://github.com/stoacommerce/stoa/blob/main/docs/runbooks/"

// gridWidth is how many columns Grafana's grid has.
const gridWidth = 24

// Datasource refers to the Prometheus that whoever looks has chosen.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

var chosen = &Datasource{Type: "prometheus", UID: "${datasource}"}

// Dashboard is a Grafana dashboard, as far as ours need it.
type Dashboard struct {
	UID           string          `json:"uid"`
	Title         string          `json:"title"`
	Description   string          `json:"description"`
	Tags          []string        `json:"tags"`
	Editable      bool            `json:"editable"`
	GraphTooltip  int             `json:"graphTooltip"`
	Refresh       string          `json:"refresh"`
	SchemaVersion int             `json:"schemaVersion"`
	Version       int             `json:"version"`
	Timezone      string          `json:"timezone"`
	Time          TimeRange       `json:"time"`
	Templating    Templating      `json:"templating"`
	Links         []DashboardLink `json:"links"`
	Panels        []Panel         `json:"panels"`
}

// DashboardLink leads to the other dashboards with a tag.
type DashboardLink struct {
	Type       string   `json:"type"`
	Title      string   `json:"title"`
	Tags       []string `json:"tags"`
	AsDropdown bool     `json:"asDropdown"`
	KeepTime   bool     `json:"keepTime"`
}

// TimeRange is what is shown at first.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Templating are the dashboard's variables.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is a choice above the panels.
type Variable struct {
	Name       string      `json:"name"`
	Label      string      `json:"label"`
	Type       string      `json:"type"`
	Datasource *Datasource `json:"datasource,omitempty"`
	Query      any         `json:"query"`
	Refresh    int         `json:"refresh,omitempty"`
	Sort       int         `json:"sort,omitempty"`
	Multi      bool        `json:"multi"`
	IncludeAll bool        `json:"includeAll"`
	AllValue   string      `json:"allValue,omitempty"`
	Current    any         `json:"current,omitempty"`
	Hide       int         `json:"hide"`
}

// Panel is one graph, or the heading of a row of them.
type Panel struct {
	ID          int            `json:"id"`
	Type        string         `json:"type"`
	Title       string         `json:"title"`
	Description string         `json:"description,omitempty"`
	GridPos     GridPos        `json:"gridPos"`
	Datasource  *Datasource    `json:"datasource,omitempty"`
	Targets     []Target       `json:"targets,omitempty"`
	FieldConfig *FieldConfig   `json:"fieldConfig,omitempty"`
	Options     map[string]any `json:"options,omitempty"`
	Links       []Link         `json:"links,omitempty"`
	Collapsed   *bool          `json:"collapsed,omitempty"`
}

// GridPos is where a panel lies.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// Target is one query of a panel.
type Target struct {
	RefID        string      `json:"refId"`
	Datasource   *Datasource `json:"datasource"`
	Expr         string      `json:"expr"`
	LegendFormat string      `json:"legendFormat"`
	Instant      bool        `json:"instant,omitempty"`
	Range        bool        `json:"range,omitempty"`
}

// FieldConfig says how values are shown.
type FieldConfig struct {
	Defaults  map[string]any `json:"defaults"`
	Overrides []any          `json:"overrides"`
}

// Link leads to what to do about a panel.
type Link struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank"`
}

// All are the dashboards, each in a file of its own named after what follows "stoa-" in its UID.
func All() []Dashboard {
	return []Dashboard{Overview(), Objectives(), API(), Store(), Cells(), Redis(), Queue(), Workers(), Nginx(), Hosts()}
}

// File is the dashboard's file in this folder.
func (d Dashboard) File() string { return strings.TrimPrefix(d.UID, "stoa-") + ".json" }

// dashboard makes a dashboard of sections. Its only variable is the Prometheus to ask.
func dashboard(name, title string, sections ...section) Dashboard {
	return Dashboard{
		UID:           "stoa-" + name,
		Title:         title,
		Description:   "Generated from observability/dashboards/" + name + ".go; change it there.",
		Tags:          []string{"stoa"},
		GraphTooltip:  1, // one crosshair over all panels
		Refresh:       "30s",
		SchemaVersion: 39,
		Version:       1,
		Timezone:      "browser",
		Time:          TimeRange{From: "now-6h", To: "now"},
		Templating: Templating{List: []Variable{
			{Name: "datasource", Label: "Prometheus", Type: "datasource", Query: "prometheus", Refresh: 1},
		}},
		Links:  []DashboardLink{{Type: "dashboards", Title: "Stoa", Tags: []string{"stoa"}, AsDropdown: true, KeepTime: true}},
		Panels: layOut(sections),
	}
}

// choice is a variable of which any number of values may be chosen; all at first.
func choice(name, label, values string) Variable {
	return Variable{
		Name: name, Label: label, Type: "query", Datasource: chosen,
		Query:   map[string]any{"query": values, "refId": name},
		Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".*",
		Current: map[string]any{"text": "All", "value": "$__all"},
	}
}

// JSON is the dashboard as Grafana imports it.
func (d Dashboard) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
	}
	return append(text, '\n'), nil
}

// kind is how a question is answered.
type kind string

const (
	lines kind = "timeseries"
	value kind = "stat"
	bars  kind = "bargauge"
)

// query is an expression and the name of its series.
type query struct{ expr, legend string }

// question is a panel before it has a place.
type question struct {
	title, about string
	kind         kind
	unit         string
	width        int
	max          float64 // of the axis, where there is a natural one
	bad          float64 // from here on red, when above zero
	below        bool    // values may lie below zero
	badAtZero    bool    // red at 0, for values where 1 is well
	queries      []query
	runbooks     []string // alerts' runbooks; the general one when empty
}

// section is a row of questions about one thing.
type section struct {
	title     string
	questions []question
}

// layOut gives every panel its ID and its place: sections below each other, panels from
// left to right.
func layOut(sections []section) []Panel {
	const height = 8
	var panels []Panel
	y := 0
	for _, s := range sections {
		open := false
		panels = append(panels, Panel{
			ID: len(panels) + 1, Type: "row", Title: s.title, Collapsed: &open,
			GridPos: GridPos{H: 1, W: gridWidth, X: 0, Y: y},
		})
		y++
		x := 0
		for _, q := range s.questions {
			if x+q.width > gridWidth {
				x, y = 0, y+height
			}
			p := q.panel()
			p.ID = len(panels) + 1
			p.GridPos = GridPos{H: height, W: q.width, X: x, Y: y}
			panels = append(panels, p)
			x += q.width
		}
		y += height
	}
	return panels
}

func (q question) panel() Panel {
	p := Panel{
		Type: string(q.kind), Title: q.title, Description: q.about, Datasource: chosen,
		FieldConfig: &FieldConfig{Defaults: q.fieldDefaults(), Overrides: []any{}},
		Options:     q.options(),
	}
	for i, each := range q.queries {
		p.Targets = append(p.Targets, Target{
			RefID: string(rune('A' + i)), Datasource: chosen, Expr: each.expr, LegendFormat: each.legend,
			Instant: q.kind == bars, Range: q.kind != bars,
		})
	}
	for _, name := range q.runbooks {
		p.Links = append(p.Links, Link{Title: "What to do: " + name, URL: Runbooks + name + ".md", TargetBlank: true})
	}
	if len(q.runbooks) == 0 {
		p.Links = []Link{{Title: "How to read this", URL: Runbooks + "README.md", TargetBlank: true}}
	}
	return p
}

func (q question) fieldDefaults() map[string]any {
	d := map[string]any{"unit": q.unit}
	if !q.below {
		d["min"] = 0
	}
	if q.max > 0 {
		d["max"] = q.max
	}
	steps := []map[string]any{{"color": "green", "value": nil}}
	switch {
	case q.badAtZero:
		steps = []map[string]any{{"color": "red", "value": nil}, {"color": "green", "value": 1}}
	case q.bad > 0:
		steps = append(steps, map[string]any{"color": "red", "value": q.bad})
	}
	d["thresholds"] = map[string]any{"mode": "absolute", "steps": steps}
	if q.kind == lines {
		custom := map[string]any{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 8, "showPoints": "never"}
		if q.bad > 0 {
			custom["thresholdsStyle"] = map[string]any{"mode": "line"}
		}
		d["custom"] = custom
		d["color"] = map[string]any{"mode": "palette-classic"}
	} else {
		d["color"] = map[string]any{"mode": "thresholds"}
	}
	return d
}

func (q question) options() map[string]any {
	reduce := map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch q.kind {
	case value:
		return map[string]any{"reduceOptions": reduce, "colorMode": "value", "graphMode": "area", "textMode": "auto"}
	case bars:
		return map[string]any{"reduceOptions": reduce, "displayMode": "gradient", "orientation": "horizontal"}
	}
	return map[string]any{
		"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}
}
