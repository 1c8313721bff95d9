"""The journal: its tree, its signer, its sealer, its verifier, and the attacks they must survive."""
