package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/supermax-hpo/supermax/shared/internal/show"
)

// Decode reads one request: JSON of this [Version] without unknown fields and with
// nothing after it. The error is one sentence that may be shown to the sender.
func Decode[T any](r io.Reader) (T, error) {
	var req T
	data, err := io.ReadAll(r)
	if err != nil {
		return req, fmt.Errorf("read request: %w", err)
	}
	// The version first: a newer request's other fields would only confuse.
	if err := checkVersion(data); err != nil {
		return req, fmt.Errorf("read request: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return req, fmt.Errorf("read request: %w", plain(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return req, errors.New("read request: something follows the JSON object")
	}
	return req, nil
}

func checkVersion(data []byte) error {
	var head struct {
		SchemaVersion *int `json:"schema_version"`
	}
	err := json.NewDecoder(bytes.NewReader(data)).Decode(&head)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends early")
	case err != nil:
		return plain(err)
	case head.SchemaVersion == nil:
		return fmt.Errorf("schema_version is missing; allowed: %d", Version)
	case *head.SchemaVersion != Version:
		return fmt.Errorf("schema_version %d is not supported; allowed: %d", *head.SchemaVersion, Version)
	}
	return nil
}

// plain says what was wrong with JSON without the names of Go, and repeats no more than the
// beginning of what a sender made long.
func plain(err error) error {
	var mistyped *json.UnmarshalTypeError
	switch name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); {
	case unknown:
		if text, err := strconv.Unquote(name); err == nil {
			name = text
		}
		return fmt.Errorf("unknown field %s", show.Quote(name))
	case errors.As(err, &mistyped):
		field := mistyped.Field
		if field == "" {
			field = "the request"
		}
		kind, literal, _ := strings.Cut(mistyped.Value, " ")
		if literal != "" {
			kind += " " + show.Quote(literal)
		}
		return fmt.Errorf("%s: a JSON %s is not allowed; allowed: %s", field, kind, wanted(mistyped.Type))
	}
	return err
}

// wanted names the JSON that becomes a Go type.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "an array"
	}
	return "an object"
}
