package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// document is what of the contract the methods of a client are made of.
type document struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas       map[string]schema
		Parameters    map[string]parameter
		RequestBodies map[string]body
		Responses     map[string]body
	}
}

type operation struct {
	OperationID string `json:"operationId"`
	Summary     string
	Parameters  []parameter
	RequestBody *body
	Responses   map[string]body
}

type parameter struct {
	Ref  string `json:"$ref"`
	Name string
	In   string
}

type body struct {
	Ref     string `json:"$ref"`
	Content map[string]struct{ Schema schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Properties map[string]struct{ Items *schema }
}

// method is a method of the client.
type method struct {
	Name, Summary, Verb string
	Path                string   // a Go expression
	Arguments           []string // of the path
	Params              string   // the type of its parameters, or nothing
	Body, ContentType   string   // the type of what is sent, or nothing
	Answers             []string // the types of what is answered, or nothing
	Stream              bool     // what is answered is no JSON, or may be something else
	Item                string   // of a list, the type of what it has
}

// writeClient writes the methods of package client. Types are those that oapi-codegen made.
func writeClient(asJSON []byte, models, target string) error {
	var d document
	if err := json.Unmarshal(asJSON, &d); err != nil {
		return fmt.Errorf("make the client: %w", err)
	}
	types, err := declared(models)
	if err != nil {
		return err
	}
	var methods []method
	for path, item := range d.Paths {
		var shared []parameter
		if raw := item["parameters"]; raw != nil {
			if err := json.Unmarshal(raw, &shared); err != nil {
				return fmt.Errorf("make the client: %s: %w", path, err)
			}
		}
		for _, verb := range []string{"get", "post", "put", "patch", "delete"} {
			if item[verb] == nil {
				continue
			}
			var o operation
			if err := json.Unmarshal(item[verb], &o); err != nil {
				return fmt.Errorf("make the client: %s: %w", path, err)
			}
			o.Parameters = append(shared, o.Parameters...)
			methods = append(methods, d.method(types, path, verb, o)...)
		}
	}
	slices.SortFunc(methods, func(a, b method) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	if err := clientText.Execute(&out, methods); err != nil {
		return fmt.Errorf("make the client: %w", err)
	}
	source, err := format.Source(out.Bytes())
	if err != nil {
		return fmt.Errorf("make the client: %w", err)
	}
	if err := os.WriteFile(target, source, 0o644); err != nil {
		return fmt.Errorf("write the client: %w", err)
	}
	return nil
}

// declared are the types of a file by their names in lower case, as their spelling is
// oapi-codegen's.
func declared(path string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("make the client: %w", err)
	}
	types := map[string]string{}
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
			for _, spec := range g.Specs {
				name := spec.(*ast.TypeSpec).Name.Name
				types[strings.ToLower(name)] = name
			}
		}
	}
	return types, nil
}

func last(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// method is an operation's method; those that answer a table beside JSON have two.
func (d *document) method(types map[string]string, path, verb string, o operation) []method {
	typeOf := func(name string) string {
		if t := types[strings.ToLower(name)]; t != "" {
			return "gen." + t
		}
		return ""
	}
	m := method{Name: strings.ToUpper(o.OperationID[:1]) + o.OperationID[1:], Summary: strings.TrimSuffix(o.Summary, "."), Verb: strings.ToUpper(verb), Params: typeOf(o.OperationID + "Params")}
	m.Path, m.Arguments = pathOf(path)
	if b := o.RequestBody; b != nil {
		content := d.resolve(*b, d.Components.RequestBodies).Content
		for _, kind := range []string{"application/json", "application/merge-patch+json", "multipart/form-data"} {
			if c, ok := content[kind]; ok {
				m.Body, m.ContentType = typeOf(last(c.Schema.Ref)), kind
			}
		}
	}
	var also string
	for _, status := range []string{"200", "201", "202", "204"} {
		r, ok := o.Responses[status]
		if !ok {
			continue
		}
		content := d.resolve(r, d.Components.Responses).Content
		c, isJSON := content["application/json"]
		if isJSON {
			m.Answers = append(m.Answers, typeOf(last(c.Schema.Ref)))
			list := d.Components.Schemas[last(c.Schema.Ref)].Properties
			if _, more := list["next_cursor"]; more && list["data"].Items != nil && d.pages(o) {
				m.Item = typeOf(last(list["data"].Items.Ref))
			}
		}
		for kind := range content {
			switch {
			case kind == "application/json" || kind == "application/problem+json":
			case isJSON:
				also = kind
			default:
				m.Stream = true
			}
		}
	}
	if also == "" {
		return []method{m}
	}
	table := m
	table.Name, table.Path, table.Summary = m.Name+"CSV", m.Path+` + "?format=csv"`, m.Summary+", as CSV"
	table.Answers, table.Stream, table.Item = nil, true, ""
	return []method{m, table}
}

// pages is whether an operation is asked for its next page by a cursor.
func (d *document) pages(o operation) bool {
	return slices.ContainsFunc(o.Parameters, func(p parameter) bool {
		if p.Ref != "" {
			p = d.Components.Parameters[last(p.Ref)]
		}
		return p.Name == "cursor"
	})
}

func (d *document) resolve(b body, among map[string]body) body {
	if b.Ref != "" {
		return among[last(b.Ref)]
	}
	return b
}

// pathOf is a path as a Go expression of its arguments.
func pathOf(path string) (expression string, arguments []string) {
	var parts []string
	for {
		before, rest, found := strings.Cut(path, "{")
		if before != "" {
			parts = append(parts, strconv.Quote(before))
		}
		if !found {
			return strings.Join(parts, " + "), arguments
		}
		name, after, _ := strings.Cut(rest, "}")
		argument := camel(name)
		arguments, path = append(arguments, argument), after
		parts = append(parts, "segment("+argument+")")
	}
}

// camel is a name of the contract as an argument's.
func camel(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words[1:] {
		if w == "id" {
			w = "ID"
		}
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	if joined := strings.Join(words, ""); !token.IsKeyword(joined) {
		return joined
	}
	return words[0] + "Name"
}

var clientText = template.Must(template.New("client").Parse(`// Code generated by openapi/contract/bundle. DO NOT EDIT.

package client

import (
	"context"
	"io"
	"iter"

	"github.com/stoacommerce/stoa/openapi/gen"
)
{{range .}}
// {{.Name}}: {{.Summary}}.
func (c *Client) {{.Name}}(ctx context.Context
	{{- range .Arguments}}, {{.}} string{{end}}
	{{- if .Body}}, body {{.Body}}{{end}}
	{{- if .Params}}, params *{{.Params}}{{end}}) (
	{{- range .Answers}}*{{.}}, {{end}}
	{{- if .Stream}}io.ReadCloser, {{end}}error) {
	{{- $params := "nil"}}{{if .Params}}{{$params = "params"}}{{end}}
	{{- $body := "nil"}}{{if .Body}}{{$body = "body"}}{{end}}
	{{- if .Stream}}
	return c.stream(ctx, "{{.Verb}}", {{.Path}}, {{$params}}, "{{.ContentType}}", {{$body}})
	{{- else if eq (len .Answers) 2}}
	return either[{{index .Answers 0}}, {{index .Answers 1}}](ctx, c, "{{.Verb}}", {{.Path}}, {{$params}}, "{{.ContentType}}", {{$body}})
	{{- else if .Answers}}
	return answer[{{index .Answers 0}}](ctx, c, "{{.Verb}}", {{.Path}}, {{$params}}, "{{.ContentType}}", {{$body}})
	{{- else}}
	return c.call(ctx, "{{.Verb}}", {{.Path}}, {{$params}}, "{{.ContentType}}", {{$body}}, nil)
	{{- end}}
}
{{if .Item}}
// {{.Name}}All goes through all pages of {{.Name}}.
func (c *Client) {{.Name}}All(ctx context.Context
	{{- range .Arguments}}, {{.}} string{{end}}, params *{{.Params}}) iter.Seq2[{{.Item}}, error] {
	return all(params, func(params *{{.Params}}) ([]{{.Item}}, *string, error) {
		page, err := c.{{.Name}}(ctx{{range .Arguments}}, {{.}}{{end}}, params)
		if err != nil {
			return nil, nil, err
		}
		return page.Data, page.NextCursor, nil
	}, func(params *{{.Params}}, cursor *string) { params.Cursor = cursor })
}
{{end}}{{end}}`))
