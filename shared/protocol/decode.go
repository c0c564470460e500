package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
		return req, fmt.Errorf("read request: %w", err)
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
		return err
	case head.SchemaVersion == nil:
		return fmt.Errorf("schema_version is missing; allowed: %d", Version)
	case *head.SchemaVersion != Version:
		return fmt.Errorf("schema_version %d is not supported; allowed: %d", *head.SchemaVersion, Version)
	}
	return nil
}
