// Verify checks an export of the journal with golang.org/x/mod/sumdb: its note, its tiles, the
// leaves below them, and the proofs that it is handed on standard input.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const width = 1 << height

// Question is what to verify.
type Question struct {
	Folder  string
	Key     string
	Records []Record
	Trees   []Tree
}

// Record is a proof that a leaf is in the tree, made by others.
type Record struct {
	Index int64
	Path  tlog.RecordProof
}

// Tree is a proof that the tree grew from an earlier one, made by others.
type Tree struct {
	Size int64
	Root tlog.Hash
	Path tlog.TreeProof
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var question Question
	if err := json.NewDecoder(os.Stdin).Decode(&question); err != nil {
		return err
	}
	tree, err := openCheckpoint(question.Folder, question.Key)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, folder(question.Folder))
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil || root != tree.Hash {
		return fmt.Errorf("the tiles make the root %v: %v", root, err)
	}
	leaves, err := readLeaves(question.Folder, tree, reader)
	if err != nil {
		return err
	}
	for _, record := range question.Records {
		if err := checkRecord(record, tree, leaves, reader); err != nil {
			return fmt.Errorf("record %d: %v", record.Index, err)
		}
	}
	for _, older := range question.Trees {
		if err := checkTree(older, tree, reader); err != nil {
			return fmt.Errorf("tree of %d: %v", older.Size, err)
		}
	}
	fmt.Printf("%d leaves, %d records, %d trees\n", len(leaves), len(question.Records), len(question.Trees))
	return nil
}

func openCheckpoint(root, key string) (tlog.Tree, error) {
	var tree tlog.Tree
	data, err := os.ReadFile(filepath.Join(root, "checkpoint"))
	if err != nil {
		return tree, err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tree, err
	}
	signed, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("the checkpoint says %q", signed.Text)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// folder reads tiles where C2SP tlog-tiles puts them.
type folder string

func (root folder) Height() int { return height }

func (root folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (root folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(string(root), path(fmt.Sprint(tile.L), tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func path(kind string, n int64, w int) string {
	number := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		number = fmt.Sprintf("x%03d/%s", n%1000, number)
	}
	if w < width {
		return fmt.Sprintf("tile/%s/%s.p/%d", kind, number, w)
	}
	return fmt.Sprintf("tile/%s/%s", kind, number)
}

// readLeaves reads every entry bundle and holds each leaf to the tile that is over it.
func readLeaves(root string, tree tlog.Tree, reader tlog.HashReader) ([][]byte, error) {
	var leaves [][]byte
	for n := int64(0); n*width < tree.N; n++ {
		w := int64(width)
		if rest := tree.N - n*width; rest < w {
			w = rest
		}
		data, err := os.ReadFile(filepath.Join(root, path("entries", n, int(w))))
		if err != nil {
			return nil, err
		}
		var indexes []int64
		for len(data) >= 2 {
			end := 2 + int(binary.BigEndian.Uint16(data))
			if end > len(data) {
				return nil, fmt.Errorf("bundle %d ends within a leaf", n)
			}
			indexes = append(indexes, tlog.StoredHashIndex(0, int64(len(leaves))))
			leaves = append(leaves, data[2:end])
			data = data[end:]
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil || len(data) != 0 || int64(len(hashes)) != w {
			return nil, fmt.Errorf("bundle %d holds %d leaves: %v", n, len(hashes), err)
		}
		for i, hash := range hashes {
			if tlog.RecordHash(leaves[n*width+int64(i)]) != hash {
				return nil, fmt.Errorf("leaf %d is not under its tile", n*width+int64(i))
			}
		}
	}
	return leaves, nil
}

func checkRecord(record Record, tree tlog.Tree, leaves [][]byte, reader tlog.HashReader) error {
	own, err := tlog.ProveRecord(tree.N, record.Index, reader)
	if err != nil {
		return err
	}
	if fmt.Sprint(own) != fmt.Sprint(record.Path) {
		return fmt.Errorf("the proof is %v, not %v", own, record.Path)
	}
	hash := tlog.RecordHash(leaves[record.Index])
	return tlog.CheckRecord(record.Path, tree.N, tree.Hash, record.Index, hash)
}

func checkTree(older Tree, tree tlog.Tree, reader tlog.HashReader) error {
	own, err := tlog.ProveTree(tree.N, older.Size, reader)
	if err != nil {
		return err
	}
	if fmt.Sprint(own) != fmt.Sprint(older.Path) {
		return fmt.Errorf("the proof is %v, not %v", own, older.Path)
	}
	return tlog.CheckTree(older.Path, tree.N, tree.Hash, older.Size, older.Root)
}
