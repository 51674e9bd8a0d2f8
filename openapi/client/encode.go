package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/oapi-codegen/runtime/types"
)

// values are parameters as a query and as headers: fields with a form tag and those without.
func values(params any) (url.Values, http.Header) {
	query, header := url.Values{}, http.Header{}
	of := reflect.ValueOf(params)
	if !of.IsValid() || of.Kind() == reflect.Pointer && of.IsNil() {
		return query, header
	}
	of = reflect.Indirect(of)
	for i := range of.NumField() {
		field, tag := of.Field(i), of.Type().Field(i).Tag
		name, _, inQuery := strings.Cut(tag.Get("form"), ",")
		add := query.Add
		if !inQuery && name == "" {
			name, _, _ = strings.Cut(tag.Get("json"), ",")
			add = header.Set
		}
		each(field, func(text string) { add(name, text) })
	}
	return query, header
}

// each gives a value as text, or those of a list; a nil pointer gives none.
func each(v reflect.Value, add func(string)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			each(v.Elem(), add)
		}
	case reflect.Slice:
		for i := range v.Len() {
			each(v.Index(i), add)
		}
	default:
		if t, ok := v.Interface().(time.Time); ok {
			add(t.Format(time.RFC3339Nano))
			return
		}
		add(fmt.Sprint(v.Interface()))
	}
}

// encode is a body as it is sent, and its media type.
func encode(contentType string, body any) ([]byte, string, error) {
	switch {
	case body == nil:
		return nil, "", nil
	case contentType == "multipart/form-data":
		return encodeForm(body)
	}
	raw, err := json.Marshal(body)
	return raw, contentType, err
}

// encodeForm is a form with a file.
func encodeForm(body any) ([]byte, string, error) {
	var out bytes.Buffer
	form := multipart.NewWriter(&out)
	of := reflect.ValueOf(body)
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Type().Field(i).Tag.Get("json"), ",")
		if file, ok := of.Field(i).Interface().(types.File); ok {
			if err := attach(form, name, file); err != nil {
				return nil, "", err
			}
			continue
		}
		var wrong error
		each(of.Field(i), func(text string) { wrong = form.WriteField(name, text) })
		if wrong != nil {
			return nil, "", wrong
		}
	}
	if err := form.Close(); err != nil {
		return nil, "", err
	}
	return out.Bytes(), form.FormDataContentType(), nil
}

func attach(form *multipart.Writer, name string, file types.File) error {
	raw, err := file.Bytes()
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(name, file.Filename())},
		"Content-Type":        {http.DetectContentType(raw)},
	})
	if err == nil {
		_, err = io.Copy(part, bytes.NewReader(raw))
	}
	return err
}
