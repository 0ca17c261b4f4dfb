export function SweepsPage({ name }: { name: string | undefined }) {
  return <h1>Sweeps {name}</h1>;
}
