# event_validate for the PostgreSQL of nixpkgs (25.05 or later), from this checkout:
#
#   services.postgresql.extensions = ps: [ (ps.callPackage ./event_validate/packaging/nix/package.nix { }) ];
{
  lib,
  libidn2,
  pkg-config,
  postgresql,
  postgresqlBuildExtension,
}:

postgresqlBuildExtension {
  pname = "event_validate";
  version = (lib.importJSON ../../META.json).version;

  src = lib.cleanSource ../..;

  nativeBuildInputs = [ pkg-config ];
  buildInputs = [ libidn2 ];

  # inlining by JIT has nothing to inline here
  makeFlags = [ "with_llvm=no" ];

  meta = {
    description = "JSON Schema validation of jsonb events inside the database";
    homepage = "https://pgxn.org/dist/event_validate/";
    license = lib.licenses.postgresql;
    platforms = postgresql.meta.platforms;
    broken = lib.versionOlder postgresql.version "15";
  };
}
